// Drydock gives its workers an environment of its own: what is preloaded takes itself along, with
// the one variable that tells it what to do.
#pragma once

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static char carried_preload[PATH_MAX + 16], carried_variable[PATH_MAX + 32];

// The variable's value, which is carried from now on; null: this process is left alone.
static const char* carry(const char* variable) {
  const char* value = getenv(variable);
  const char* preload = getenv("LD_PRELOAD");
  if (value == NULL || preload == NULL) return NULL;
  snprintf(carried_variable, sizeof carried_variable, "%s=%s", variable, value);
  snprintf(carried_preload, sizeof carried_preload, "LD_PRELOAD=%s", preload);
  return value;
}

// Runs on the small stack of a child that shares its parent's memory.
int execve(const char* path, char* const* arguments, char* const* environment) {
  enum { most = 256 };
  char* carried[most + 3];
  size_t count = 0;
  for (; environment[count] != NULL && count < most; ++count) carried[count] = environment[count];
  if (carried_variable[0] == '\0' || environment[count] != NULL) {
    return (int)syscall(SYS_execve, path, arguments, environment);
  }
  carried[count] = carried_preload;
  carried[count + 1] = carried_variable;
  carried[count + 2] = NULL;
  return (int)syscall(SYS_execve, path, arguments, carried);
}
