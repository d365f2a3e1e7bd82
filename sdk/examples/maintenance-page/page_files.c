#define _POSIX_C_SOURCE 200809L
#include "page_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads until the buffer is full or the file ends. -1 with errno set when it cannot. */
static ssize_t read_some(int file, char* buffer, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t n = read(file, buffer + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    done += (size_t)n;
  }
  return (ssize_t)done;
}

static int write_all(int file, const char* buffer, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t n = write(file, buffer + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    done += (size_t)n;
  }
  return 0;
}

int page_state(const char* path, char* into, size_t size) {
  uint64_t hash = 14695981039346656037u, bytes = 0;
  char buffer[8192];
  ssize_t n = 0;
  int failed;
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0 && errno == ENOENT) {
    snprintf(into, size, "absent");
    return 0;
  }
  if (file < 0) return errno;
  while ((n = read_some(file, buffer, sizeof buffer)) > 0) {
    ssize_t i;
    for (i = 0; i < n; ++i) hash = (hash ^ (unsigned char)buffer[i]) * 1099511628211u;
    bytes += (uint64_t)n;
  }
  failed = n < 0 ? errno : 0;
  close(file);
  snprintf(into, size, "%" PRIu64 " bytes, fnv1a %016" PRIx64, bytes, hash);
  return failed;
}

/* The folder of a path; "." when it names none. */
static void folder_of(const char* path, char* into, size_t size) {
  const char* slash = strrchr(path, '/');
  if (slash == NULL)
    snprintf(into, size, ".");
  else
    snprintf(into, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

/* A rename is durable once its folder is. */
static int flush_folder_of(const char* path) {
  char folder[PAGE_PATH];
  int file, failed;
  folder_of(path, folder, sizeof folder);
  file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return errno;
  failed = fsync(file) == 0 ? 0 : errno;
  close(file);
  return failed;
}

static int copy_bytes(int from, int to, mode_t mode) {
  char* buffer = malloc(PAGE_LARGEST + 1);
  ssize_t n;
  int failed;
  if (buffer == NULL) return ENOMEM;
  n = read_some(from, buffer, PAGE_LARGEST + 1);
  if (n < 0)
    failed = errno;
  else if (n > PAGE_LARGEST)
    failed = EFBIG;
  else
    failed = write_all(to, buffer, (size_t)n);
  free(buffer);
  if (failed == 0 && (fchmod(to, mode) != 0 || fsync(to) != 0)) failed = errno;
  return failed;
}

int page_copy(const char* from, const char* to, mode_t mode) {
  char fresh[PAGE_PATH + 8];
  int in, out, failed;
  if (snprintf(fresh, sizeof fresh, "%s.XXXXXX", to) >= (int)sizeof fresh) return ENAMETOOLONG;
  in = open(from, O_RDONLY | O_CLOEXEC);
  if (in < 0) return errno;
  out = mkstemp(fresh);
  if (out < 0) {
    failed = errno;
    close(in);
    return failed;
  }
  failed = copy_bytes(in, out, mode);
  close(in);
  if (close(out) != 0 && failed == 0) failed = errno;
  if (failed == 0 && rename(fresh, to) != 0) failed = errno;
  if (failed != 0) {
    unlink(fresh);
    return failed;
  }
  return flush_folder_of(to);
}

int page_remove(const char* path) {
  if (unlink(path) != 0) return errno == ENOENT ? 0 : errno;
  return flush_folder_of(path);
}
