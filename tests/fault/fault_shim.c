// Preloaded into Drydock by matrix.py: counts the calls by which one program changes what is below
// one folder, and lets the n-th of them go wrong.
//
// What to do is read from the file that the variable DRYDOCK_FAULT names. All processes of a run
// map it, so they count together, whichever of a run's workers makes the call.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "carry.h"

// EIO comes once, as from a bad block that the disk then replaces. A disk that is full is full for
// every process, and stays so until the command has ended: only then does a person make room.
enum fault { FAULT_NONE, FAULT_KILL, FAULT_TORN, FAULT_ENOSPC, FAULT_EIO };

// matrix.py writes and reads the same layout.
struct control {
  char program[16];  // as in /proc/PID/comm
  char root[1024];   // calls on paths below it count
  uint32_t fault;
  uint32_t hit;  // the n-th call was made
  uint64_t at;   // n, from 1
  uint64_t calls;
  char call[16];  // which one it was
  char path[1024];
  char can_be_torn[4096];  // for each call, when it was made: a write of more than one byte
};

static struct control* control;  // null: this process is left alone
static int is_the_program;

__attribute__((constructor)) static void begin(void) {
  const char* file = carry("DRYDOCK_FAULT");
  if (file == NULL) return;
  const int fd = open(file, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void* mapped = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (mapped == MAP_FAILED) return;
  control = mapped;
  char name[sizeof control->program] = "";
  prctl(PR_GET_NAME, name);
  is_the_program = strcmp(name, control->program) == 0;
}

static int is_below_root(const char* path) {
  const size_t size = strlen(control->root);
  return strncmp(path, control->root, size) == 0 && path[size] == '/';
}

// Counts the call. FAULT_NONE: it is to be made as if nothing were.
static enum fault reached(const char* call, const char* path, int can_be_torn) {
  if (!is_the_program) return FAULT_NONE;
  const uint64_t n = __atomic_add_fetch(&control->calls, 1, __ATOMIC_SEQ_CST);
  if (n <= sizeof control->can_be_torn) control->can_be_torn[n - 1] = (char)can_be_torn;
  if (n != control->at) return FAULT_NONE;
  snprintf(control->call, sizeof control->call, "%s", call);
  snprintf(control->path, sizeof control->path, "%s", path);
  __atomic_store_n(&control->hit, 1, __ATOMIC_SEQ_CST);
  return (enum fault)control->fault;
}

static int disk_is_full(void) {
  return control->fault == FAULT_ENOSPC && __atomic_load_n(&control->hit, __ATOMIC_SEQ_CST);
}

static void die(void) {
  syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
  for (;;) pause();
}

enum kind { TAKES_SPACE, TAKES_NONE };

// 0, or the error with which the call is to fail.
static int fault_of(const char* call, const char* path, enum kind kind) {
  if (control == NULL || !is_below_root(path)) return 0;
  switch (reached(call, path, 0)) {
    case FAULT_KILL:
    case FAULT_TORN:
      die();
      break;
    case FAULT_EIO:
      return EIO;
    case FAULT_ENOSPC:
    case FAULT_NONE:
      break;
  }
  return kind == TAKES_SPACE && disk_is_full() ? ENOSPC : 0;
}

// The path of an argument, without looking at the last name itself, which may be a link.
static const char* absolute(int folder, const char* path, char* buffer) {
  if (path[0] == '/') return path;
  char link[64] = "/proc/self/cwd";
  if (folder != AT_FDCWD) snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
  const ssize_t size = readlink(link, buffer, PATH_MAX - 1);
  if (size < 0) return path;
  snprintf(buffer + size, PATH_MAX - (size_t)size, "/%s", path);
  return buffer;
}

static const char* path_of(int fd, char* buffer) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = readlink(link, buffer, PATH_MAX - 1);
  buffer[size < 0 ? 0 : size] = '\0';
  return buffer;
}

static int fails_on_path(const char* call, int folder, const char* path, enum kind kind) {
  if (control == NULL) return 0;
  char buffer[PATH_MAX];
  const int error = fault_of(call, absolute(folder, path, buffer), kind);
  if (error != 0) errno = error;
  return error != 0;
}

static int fails_on_fd(const char* call, int fd) {
  if (control == NULL) return 0;
  char buffer[PATH_MAX];
  const int error = fault_of(call, path_of(fd, buffer), TAKES_NONE);
  if (error != 0) errno = error;
  return error != 0;
}

// What a faulty write does: all of `size`, none of it (errno is set), or the first half. A disk
// gets full in the middle of a write, and a process may be killed there as well.
enum extent { WHOLE, NOTHING, HALF, HALF_AND_DIE };

static enum extent extent_of_write(const char* call, int fd, size_t size) {
  if (control == NULL) return WHOLE;
  char path[PATH_MAX];
  if (!is_below_root(path_of(fd, path))) return WHOLE;
  const enum fault fault = reached(call, path, size > 1);
  if (fault == FAULT_KILL || (fault == FAULT_TORN && size < 2)) die();
  if (fault == FAULT_TORN) return HALF_AND_DIE;
  if (fault == FAULT_ENOSPC && size > 1) return HALF;
  errno = fault == FAULT_EIO ? EIO : ENOSPC;
  return fault == FAULT_EIO || disk_is_full() ? NOTHING : WHOLE;
}

ssize_t write(int fd, const void* bytes, size_t size) {
  const enum extent extent = extent_of_write("write", fd, size);
  if (extent == NOTHING) return -1;
  const ssize_t done = syscall(SYS_write, fd, bytes, extent == WHOLE ? size : size / 2);
  if (extent == HALF_AND_DIE) die();
  return done;
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  const enum extent extent = extent_of_write("pwrite", fd, size);
  if (extent == NOTHING) return -1;
  const ssize_t done = syscall(SYS_pwrite64, fd, bytes, extent == WHOLE ? size : size / 2, at);
  if (extent == HALF_AND_DIE) die();
  return done;
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  return pwrite64(fd, bytes, size, at);
}

ssize_t writev(int fd, const struct iovec* parts, int count) {
  // Of several parts the first alone is a half that a kernel may write as well.
  const enum extent extent = extent_of_write("writev", fd, (size_t)count);
  if (extent == NOTHING) return -1;
  const ssize_t done = syscall(SYS_writev, fd, parts, extent == WHOLE ? count : 1);
  if (extent == HALF_AND_DIE) die();
  return done;
}

// stdio writes by calls inside of libc, which nobody sees: flushing is where it does. What is
// buffered is gone when that fails, as it is for good when a disk does not take it.
int fflush(FILE* file) {
  static int (*next)(FILE*);
  if (next == NULL) *(void**)&next = dlsym(RTLD_NEXT, "fflush");
  if (file != NULL && fails_on_fd("fflush", fileno(file))) return EOF;
  return next(file);
}

int fsync(int fd) { return fails_on_fd("fsync", fd) ? -1 : (int)syscall(SYS_fsync, fd); }

int fdatasync(int fd) {
  return fails_on_fd("fdatasync", fd) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int ftruncate64(int fd, off64_t size) {
  return fails_on_fd("ftruncate", fd) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int renameat2(int from, const char* old, int to, const char* new, unsigned flags) {
  if (fails_on_path("rename", to, new, TAKES_NONE)) return -1;
  return (int)syscall(SYS_renameat2, from, old, to, new, flags);
}

int renameat(int from, const char* old, int to, const char* new) {
  return renameat2(from, old, to, new, 0);
}

int rename(const char* old, const char* new) { return renameat2(AT_FDCWD, old, AT_FDCWD, new, 0); }

int linkat(int from, const char* old, int to, const char* new, int flags) {
  if (fails_on_path("link", to, new, TAKES_SPACE)) return -1;
  return (int)syscall(SYS_linkat, from, old, to, new, flags);
}

int link(const char* old, const char* new) { return linkat(AT_FDCWD, old, AT_FDCWD, new, 0); }

int symlink(const char* target, const char* path) {
  if (fails_on_path("symlink", AT_FDCWD, path, TAKES_SPACE)) return -1;
  return (int)syscall(SYS_symlink, target, path);
}

int unlinkat(int folder, const char* path, int flags) {
  if (fails_on_path("unlink", folder, path, TAKES_NONE)) return -1;
  return (int)syscall(SYS_unlinkat, folder, path, flags);
}

int unlink(const char* path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char* path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdir(const char* path, mode_t mode) {
  if (fails_on_path("mkdir", AT_FDCWD, path, TAKES_SPACE)) return -1;
  return (int)syscall(SYS_mkdir, path, mode);
}

// Wherever it leads: a deployment's own folder has no sockets.
int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t size) {
  int error = 0;
  if (control != NULL) {
    char path[sizeof control->root + 16];
    snprintf(path, sizeof path, "%s/(network)", control->root);
    error = fault_of("connect", path, TAKES_NONE);
  }
  if (error == 0) return (int)syscall(SYS_connect, fd, address.__sockaddr__, size);
  errno = error;
  return -1;
}
