/* maintenance-page: puts up the page that a reverse proxy shows while a file is there, and takes it
 * down.
 *
 * A killed step leaves the old page or the new one, and at most a temporary file beside it. The way
 * back goes by one note, `before`, and the copy of an older page in the private folder: `on` puts
 * back what was there in settle, so that visitors see the page while the rollback restores; `off`
 * puts it up again in rollback. */
#define _POSIX_C_SOURCE 200809L
#include <drydock/stage.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "page_files.h"

typedef struct options {
  char page[PAGE_PATH];  /* what visitors are shown */
  char shown[PAGE_PATH]; /* where the proxy looks */
  int on;
} options;

static drydock_bytes bytes(const char* text) {
  drydock_bytes result;
  result.data = text;
  result.size = strlen(text);
  return result;
}

static drydock_status end(const drydock_call* call, drydock_status status, const char* format,
                          ...) {
  char sentence[3 * PAGE_PATH];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(sentence, sizeof sentence, format, arguments);
  va_end(arguments);
  call->host->fail(call, bytes(sentence));
  return status;
}

/* The text of an option, which ends nowhere by itself. */
static drydock_status read_text(const drydock_call* call, const char* pointer, char* into) {
  drydock_value value = {0};
  drydock_status status;
  value.struct_size = sizeof value;
  status = call->host->option(call, pointer, &value);
  if (status != DRYDOCK_OK) return status;
  if (value.text.size >= PAGE_PATH || memchr(value.text.data, '\0', value.text.size) != NULL)
    return end(call, DRYDOCK_BAD_OPTIONS,
               "with.%s is no path: it has %lu bytes, below %d are allowed, none zero", pointer + 1,
               (unsigned long)value.text.size, PAGE_PATH);
  memcpy(into, value.text.data, value.text.size);
  into[value.text.size] = '\0';
  return DRYDOCK_OK;
}

static drydock_status read_options(const drydock_call* call, options* into) {
  char state[PAGE_PATH];
  drydock_status status = read_text(call, "/page", into->page);
  if (status == DRYDOCK_OK) status = read_text(call, "/shown", into->shown);
  if (status == DRYDOCK_OK) status = read_text(call, "/state", state);
  if (status != DRYDOCK_OK) return status;
  into->on = strcmp(state, "on") == 0;
  if (strcmp(into->page, into->shown) == 0)
    return end(call, DRYDOCK_BAD_OPTIONS,
               "with.page and with.shown are both %s: the page must lie elsewhere", into->page);
  return DRYDOCK_OK;
}

/* What the file is; what it cannot be ends the step. */
static drydock_status state_of(const drydock_call* call, const char* path, char* into,
                               size_t size) {
  const int failed = page_state(path, into, size);
  if (failed == 0) return DRYDOCK_OK;
  return end(call, DRYDOCK_FAILED, "%s cannot be read (%s)", path, strerror(failed));
}

static drydock_status kept_page(const drydock_call* call, char* into) {
  if (snprintf(into, PAGE_PATH, "%s/page", call->private_dir) < PAGE_PATH) return DRYDOCK_OK;
  return end(call, DRYDOCK_FAILED, "the private folder's path is too long: %s", call->private_dir);
}

static drydock_status observe(const drydock_call* call) {
  options with;
  char state[64];
  drydock_status status = read_options(call, &with);
  if (status == DRYDOCK_OK) status = state_of(call, with.shown, state, sizeof state);
  if (status != DRYDOCK_OK) return status;
  return call->host->fact(call, with.shown, bytes(state), DRYDOCK_MUST_RETURN);
}

static drydock_status plan(const drydock_call* call) {
  options with;
  char page[64], shown[64];
  drydock_change change = {0};
  drydock_status status = read_options(call, &with);
  if (status == DRYDOCK_OK) status = state_of(call, with.page, page, sizeof page);
  if (status == DRYDOCK_OK) status = state_of(call, with.shown, shown, sizeof shown);
  if (status != DRYDOCK_OK) return status;
  if (with.on && strcmp(page, "absent") == 0)
    return end(call, DRYDOCK_BAD_OPTIONS,
               "with.page: there is no file %s; write the page that visitors are to see",
               with.page);
  if (with.on) {
    status = call->host->input(call, with.page);
    if (status != DRYDOCK_OK) return status;
  }
  if (strcmp(shown, with.on ? page : "absent") == 0) return DRYDOCK_OK;
  change.struct_size = sizeof change;
  change.what = "file";
  change.action = !with.on ? "remove" : strcmp(shown, "absent") == 0 ? "add" : "change";
  change.name = with.shown;
  change.detail =
      with.on ? "visitors see the maintenance page" : "visitors see the application again";
  return call->host->change(call, &change);
}

/* Notes what was there, and keeps its bytes, before the first change. A repeated run finds its own
 * page. */
static drydock_status keep_what_was_there(const drydock_call* call, const options* with) {
  char state[64], kept[PAGE_PATH];
  drydock_bytes before;
  int failed;
  drydock_status status = call->host->recall(call, "before", &before);
  if (status != DRYDOCK_NOT_FOUND) return status;
  status = state_of(call, with->shown, state, sizeof state);
  if (status == DRYDOCK_OK) status = kept_page(call, kept);
  if (status != DRYDOCK_OK) return status;
  failed = strcmp(state, "absent") == 0 ? 0 : page_copy(with->shown, kept, PAGE_PRIVATE);
  if (failed != 0)
    return end(call, DRYDOCK_FAILED, "%s cannot be kept (%s)", with->shown, strerror(failed));
  status = call->host->remember(call, "shown", bytes(with->shown));
  return status == DRYDOCK_OK ? call->host->remember(call, "before", bytes(state)) : status;
}

static drydock_status run(const drydock_call* call) {
  options with;
  int failed;
  drydock_status status = read_options(call, &with);
  if (status == DRYDOCK_OK) status = keep_what_was_there(call, &with);
  if (status != DRYDOCK_OK) return status;
  failed = with.on ? page_copy(with.page, with.shown, PAGE_PUBLIC) : page_remove(with.shown);
  if (failed == 0) return DRYDOCK_OK;
  if (!with.on)
    return end(call, DRYDOCK_FAILED, "%s cannot be removed (%s)", with.shown, strerror(failed));
  return end(call, DRYDOCK_FAILED, "%s cannot be copied to %s (%s)", with.page, with.shown,
             strerror(failed));
}

static drydock_status verify(const drydock_call* call) {
  options with;
  char page[64] = "absent", shown[64];
  drydock_status status = read_options(call, &with);
  if (status == DRYDOCK_OK && with.on) status = state_of(call, with.page, page, sizeof page);
  if (status == DRYDOCK_OK) status = state_of(call, with.shown, shown, sizeof shown);
  if (status != DRYDOCK_OK) return status;
  if (strcmp(page, shown) == 0) return DRYDOCK_OK;
  return end(call, DRYDOCK_FAILED, "%s is %s, and should be %s; does somebody else write it?",
             with.shown, shown, page);
}

static drydock_status put_back(const drydock_call* call) {
  char shown[PAGE_PATH], kept[PAGE_PATH];
  drydock_bytes path, before;
  int failed, absent;
  drydock_status status = call->host->recall(call, "before", &before);
  if (status == DRYDOCK_NOT_FOUND) return DRYDOCK_OK; /* nothing was changed */
  if (status == DRYDOCK_OK) status = call->host->recall(call, "shown", &path);
  if (status == DRYDOCK_OK) status = kept_page(call, kept);
  if (status != DRYDOCK_OK) return status;
  memcpy(shown, path.data, path.size);
  shown[path.size] = '\0';
  absent = before.size == strlen("absent") && memcmp(before.data, "absent", before.size) == 0;
  failed = absent ? page_remove(shown) : page_copy(kept, shown, PAGE_PUBLIC);
  if (failed == 0) return DRYDOCK_OK;
  return end(call, DRYDOCK_FAILED, "%s cannot be put back (%s)", shown, strerror(failed));
}

/* Was the page put up by this stage's run? The options of a rollback are those of its run. */
static int puts_up(const drydock_call* call, options* with) {
  return read_options(call, with) == DRYDOCK_OK && with->on;
}

static drydock_status rollback(const drydock_call* call) {
  options with;
  return puts_up(call, &with) ? DRYDOCK_OK : put_back(call);
}

static drydock_status settle(const drydock_call* call) {
  options with;
  return puts_up(call, &with) ? put_back(call) : DRYDOCK_OK;
}

static const char schema[] =
    "{\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"page\", \"shown\"],"
    " \"properties\": {"
    "\"page\": {\"type\": \"string\", \"minLength\": 1, \"maxLength\": 4000,"
    " \"example\": \"maintenance/page.html\","
    " \"description\": \"the page that visitors are to see, relative to the deployment\"},"
    "\"shown\": {\"type\": \"string\", \"minLength\": 1, \"maxLength\": 4000,"
    " \"example\": \"proxy/html/maintenance.html\","
    " \"description\": \"where the proxy looks for it, relative to the deployment: it shows the "
    "page"
    " while this file is there\"},"
    "\"state\": {\"enum\": [\"on\", \"off\"], \"default\": \"on\","
    " \"description\": \"on: put the page up; off: take it down\"}}}";

static const drydock_stage stage = {
    sizeof(drydock_stage),
    "maintenance-page",
    "Put up the page that visitors see during an upgrade, or take it down",
    schema,
    1, /* version of the notes */
    {observe, NULL},
    {plan, NULL},
    {run, NULL},
    {verify, NULL},
    {rollback, NULL},
    {settle, NULL}};
static const drydock_stage* const stages[] = {&stage};
static const drydock_plugin plugin = {sizeof(drydock_plugin),
                                      DRYDOCK_ABI_MAJOR,
                                      DRYDOCK_ABI_MINOR,
                                      "org.example.maintenance-page",
                                      "1.0.0",
                                      stages,
                                      1};

DRYDOCK_NOTE("org.example.maintenance-page", "1.0.0");

const drydock_plugin* drydock_plugin_v1(void) { return &plugin; }
