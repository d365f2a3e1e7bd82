/* The files of the maintenance page: copied so that a web server sees the old file or the new one.
 */
#ifndef PAGE_FILES_H
#define PAGE_FILES_H

#include <stddef.h>
#include <sys/types.h>

enum {
  PAGE_PATH = 4096,
  PAGE_LARGEST = 1024 * 1024,
  PAGE_PUBLIC = 0644, /* the web server is another user */
  PAGE_PRIVATE = 0600
};

/* What a file is, for comparing: "absent", or its size and the FNV-1a hash of its bytes. Returns 0,
 * or an errno when it cannot be read. */
int page_state(const char* path, char* into, size_t size);

/* Copies into a new file of this mode beside `to`, flushes it and renames it to `to`. Returns 0 or
 * an errno; EFBIG above PAGE_LARGEST. */
int page_copy(const char* from, const char* to, mode_t mode);

/* Removes the file, if it is there, and flushes its folder. Returns 0 or an errno. */
int page_remove(const char* path);

#endif
