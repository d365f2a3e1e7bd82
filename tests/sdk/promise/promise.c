/* A plugin that uses all of stage.h, and writes what it was told into a file. It
 * shows what docs/abi.md promises of a struct that grows. */
#include <drydock/stage.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char told[] = "told.txt";  /* all that run was told */
static const char gone[] = "gone.txt";  /* what rollback makes of it, for settle to remove */
static const char input[] = "word.txt"; /* what run reads */

static drydock_bytes bytes(const char* text) {
  drydock_bytes result;
  result.data = text;
  result.size = strlen(text);
  return result;
}

static drydock_status fail(const drydock_call* call, const char* sentence) {
  call->host->fail(call, bytes(sentence));
  return DRYDOCK_FAILED;
}

static int exists(const char* path) {
  FILE* file = fopen(path, "r");
  if (file != NULL) fclose(file);
  return file != NULL;
}

static drydock_status observe(const drydock_call* call) {
  const drydock_host* host = call->host;
  drydock_status status =
      host->fact(call, "told", bytes(exists(told) ? "there" : "absent"), DRYDOCK_MUST_RETURN);
  if (status == DRYDOCK_OK)
    status = host->fact(call, "hidden", bytes("s3cret"), DRYDOCK_MUST_RETURN | DRYDOCK_FACT_SECRET);
  if (status == DRYDOCK_OK)
    status = host->fact(call, "step", bytes(call->step), DRYDOCK_INFORMATIONAL);
  return status;
}

static drydock_status plan(const drydock_call* call) {
  drydock_change change = {0};
  change.struct_size = sizeof change;
  change.what = "file";
  change.action = "add";
  change.name = told;
  change.after = bytes("all that run is told");
  change.detail = "the promise of the boundary";
  change.disk_bytes = 4096;
  change.rollback_loses = NULL;
  if (call->host->input(call, input) != DRYDOCK_OK) return DRYDOCK_BUG;
  return call->host->change(call, &change);
}

/* Writes an option and what it is, with its members. */
static void tell(const drydock_call* call, FILE* out, const char* pointer) {
  drydock_value value = {0};
  size_t i;
  value.struct_size = sizeof value;
  if (call->host->option(call, pointer, &value) != DRYDOCK_OK) {
    fprintf(out, "%s is not set\n", pointer);
    return;
  }
  fprintf(out,
          "%s type %" PRId32 " boolean %" PRId32 " integer %" PRId64
          " number %g text '%.*s' size %lu\n",
          pointer, value.type, value.boolean, value.integer, value.number, (int)value.text.size,
          value.text.data == NULL ? "" : value.text.data, (unsigned long)value.size);
  for (i = 0; i < value.size; ++i) {
    char member[256];
    drydock_bytes key = {0};
    if (value.type == DRYDOCK_ARRAY) {
      snprintf(member, sizeof member, "%s/%lu", pointer, (unsigned long)i);
    } else {
      call->host->option_key(call, pointer, i, &key);
      snprintf(member, sizeof member, "%s/%.*s", pointer, (int)key.size, key.data);
    }
    tell(call, out, member);
  }
}

static drydock_status on_line(void* user, int32_t stream, drydock_bytes line) {
  fprintf((FILE*)user, "stream %" PRId32 ": %.*s\n", stream, (int)line.size, line.data);
  return DRYDOCK_OK;
}

/* Has heard enough. */
static drydock_status on_first_line(void* user, int32_t stream, drydock_bytes line) {
  on_line(user, stream, line);
  return DRYDOCK_CANCELLED;
}

static drydock_status run_command(const drydock_call* call, FILE* out) {
  const char* const arguments[] = {"sh", "-c", "cat; echo \"$WORD\" >&2; exit 3", NULL};
  const char* const environment[] = {"WORD=from the environment", NULL};
  drydock_process process = {0};
  drydock_exit ended = {0};
  drydock_status status;
  process.struct_size = sizeof process;
  process.arguments = arguments;
  process.environment = environment;
  process.input_file = input;
  process.timeout_ms = 60000;
  process.on_line = on_line;
  process.user = out;
  ended.struct_size = sizeof ended;
  status = call->host->run_process(call, &process, &ended);
  fprintf(out, "status %" PRId32 " code %" PRId32 " signal %" PRId32 " timed out %" PRId32 "\n",
          status, ended.code, ended.signal, ended.timed_out);
  return status;
}

/* A command without an end, of which the first line is enough. */
static drydock_status run_endless(const drydock_call* call, FILE* out) {
  const char* const arguments[] = {"sh", "-c", "while echo again; do :; done", NULL};
  drydock_process process = {0};
  drydock_exit ended = {0};
  drydock_status status;
  process.struct_size = sizeof process;
  process.arguments = arguments;
  process.on_line = on_first_line;
  process.user = out;
  ended.struct_size = sizeof ended;
  status = call->host->run_process(call, &process, &ended);
  fprintf(out, "status %" PRId32 " stopped %" PRId32 " timed out %" PRId32 "\n", status,
          ended.stopped, ended.timed_out);
  return status;
}

static drydock_status run(const drydock_call* call) {
  const drydock_host* host = call->host;
  static const char* const pointers[] = {"/word", "/count", "/ratio", "/yes",   "/list",
                                         "/map",  "/wait",  "/room",  "/token", "/no"};
  drydock_bytes token = {0}, key = {0}, note = {0};
  size_t i;
  FILE* out;
  int here;
  drydock_status status = host->remember(call, "made", bytes(told));
  if (status != DRYDOCK_OK) return status;
  out = fopen(told, "w");
  if (out == NULL) return fail(call, "told.txt cannot be written");
  for (i = 0; i < sizeof pointers / sizeof pointers[0]; ++i) tell(call, out, pointers[i]);
  status = host->secret(call, "/token", &token);
  fprintf(out, "secret of %lu bytes\n", (unsigned long)token.size);
  if (status == DRYDOCK_OK) status = run_command(call, out);
  if (status == DRYDOCK_OK) status = run_endless(call, out);
  if (status == DRYDOCK_OK) status = host->note_at(call, 0, &key, &note);
  fprintf(out, "note %.*s=%.*s, none beyond: %d, none called x: %d\n", (int)key.size, key.data,
          (int)note.size, note.data, host->note_at(call, 1, &key, &note) == DRYDOCK_NOT_FOUND,
          host->recall(call, "x", &note) == DRYDOCK_NOT_FOUND);
  fprintf(out,
          "stage %s step %s attempt %" PRIu32 " interrupted %" PRId32 " run %" PRIu64
          " fetch %" PRId32 "\n",
          call->stage_id, call->step, call->attempt, call->interrupted, call->run_id,
          call->may_fetch);
  fprintf(out,
          "project '%s' files %d profiles %d model '%s' planned '%s' cancelled %" PRId32
          " deadline %d\n",
          call->project, call->compose_files[0] != NULL, call->profiles[0] != NULL,
          call->model_before, call->planned_dir, host->cancelled(call), call->deadline_ms > 0);
  here = call->deployment_dir[0] == '/' && call->private_dir[0] == '/' && call->cancel_fd >= 0 &&
         strstr(call->run_label, "drydock.run=") == call->run_label && call->next_dir != NULL &&
         call->snapshot_dir != NULL && call->planning_dir != NULL;
  fprintf(out, "the rest is here: %d\n", here);
  if (fclose(out) != 0) return fail(call, "told.txt is cut; is the disk full?");
  host->log(call, DRYDOCK_LOG_INFO, bytes("all is told"));
  host->progress(call, 1, 1, "files");
  if (status == DRYDOCK_OK)
    status = host->output(call, "word", bytes("kept"), DRYDOCK_OUTPUT_PROMOTE);
  if (status == DRYDOCK_OK) status = host->artifact(call, "told", told, "what run was told");
  return status;
}

static drydock_status verify(const drydock_call* call) {
  return exists(told) ? DRYDOCK_OK : fail(call, "told.txt is missing");
}

static drydock_status rollback(const drydock_call* call) {
  drydock_bytes made;
  if (call->host->recall(call, "made", &made) != DRYDOCK_OK) return DRYDOCK_OK;
  return rename(told, gone) == 0 || exists(gone) ? DRYDOCK_OK
                                                 : fail(call, "told.txt cannot be moved");
}

static drydock_status settle(const drydock_call* call) {
  (void)call;
  remove(gone);
  return DRYDOCK_OK;
}

static const char schema[] =
    "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {"
    "\"word\": {\"type\": \"string\", \"default\": \"by default\", \"description\": \"a text\"},"
    "\"count\": {\"type\": \"integer\", \"default\": 0, \"description\": \"a whole number\"},"
    "\"ratio\": {\"type\": \"number\", \"default\": 0, \"description\": \"a number\"},"
    "\"yes\": {\"type\": \"boolean\", \"default\": false, \"description\": \"yes or no\"},"
    "\"list\": {\"type\": \"array\", \"items\": {\"type\": \"string\"}, \"default\": [], "
    "\"description\": \"texts\"},"
    "\"map\": {\"type\": \"object\", \"additionalProperties\": {\"type\": \"integer\"}, "
    "\"default\": {},"
    " \"description\": \"names and numbers\"},"
    "\"wait\": {\"type\": \"string\", \"format\": \"duration\", \"default\": \"1s\", "
    "\"description\": \"a duration\"},"
    "\"room\": {\"type\": \"string\", \"format\": \"size\", \"default\": \"1k\", \"description\": "
    "\"a size\"},"
    "\"no\": {\"type\": \"string\", \"description\": \"what nobody sets\"},"
    "\"token\": {\"type\": \"string\", \"writeOnly\": true, \"description\": \"a secret\"}}}";

static const drydock_stage stage = {sizeof(drydock_stage),
                                    "promise",
                                    "Write down all that a stage is told",
                                    schema,
                                    1,
                                    {observe, NULL},
                                    {plan, NULL},
                                    {run, NULL},
                                    {verify, "/word"},
                                    {rollback, NULL},
                                    {settle, NULL}};
static const drydock_stage* const stages[] = {&stage};
static const drydock_plugin plugin = {sizeof(drydock_plugin),
                                      DRYDOCK_ABI_MAJOR,
                                      DRYDOCK_ABI_MINOR,
                                      "test.promise",
                                      "1.0.0",
                                      stages,
                                      1};

DRYDOCK_NOTE("test.promise", "1.0.0");

const drydock_plugin* drydock_plugin_v1(void) { return &plugin; }
