#include <drydock/stage.h>
#include <stdio.h>
#include <string.h>

/* Adds a file to the deployment, which is the working directory of every step. */
static const char file[] = "@name@.txt";
static const char schema[] =
    "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\"line\": {"
    "\"type\": \"string\", \"default\": \"hello\", \"description\": \"what the file is to say\"}}}";

static drydock_bytes bytes(const char* text) {
  drydock_bytes result;
  result.data = text;
  result.size = strlen(text);
  return result;
}

static int exists(void) {
  FILE* opened = fopen(file, "r");
  if (opened != NULL) fclose(opened);
  return opened != NULL;
}

static drydock_status failed(const drydock_call* call, const char* sentence) {
  call->host->fail(call, bytes(sentence));
  return DRYDOCK_FAILED;
}

static drydock_status observe(const drydock_call* call) {
  return call->host->fact(call, file, bytes(exists() ? "there" : "absent"), DRYDOCK_MUST_RETURN);
}

static drydock_status plan(const drydock_call* call) {
  drydock_change change = {0};
  change.struct_size = sizeof change;
  change.what = "file";
  change.action = "add";
  change.name = file;
  return exists() ? DRYDOCK_OK : call->host->change(call, &change);
}

static drydock_status run(const drydock_call* call) {
  drydock_value line = {0};
  drydock_bytes made;
  FILE* written;
  drydock_status status;
  if (exists() && call->host->recall(call, "made", &made) != DRYDOCK_OK) return DRYDOCK_OK;
  line.struct_size = sizeof line;
  status = call->host->option(call, "/line", &line);
  if (status != DRYDOCK_OK) return status;
  status = call->host->remember(call, "made", bytes(file)); /* on disk before anything changes */
  if (status != DRYDOCK_OK) return status;
  written = fopen(file, "w");
  if (written == NULL) return failed(call, "@name@.txt cannot be written; may you write there?");
  fwrite(line.text.data, 1, line.text.size, written);
  fputc('\n', written);
  return fclose(written) == 0 ? DRYDOCK_OK : failed(call, "@name@.txt is cut; is the disk full?");
}

static drydock_status verify(const drydock_call* call) {
  return exists() ? DRYDOCK_OK : failed(call, "@name@.txt is not there");
}

static drydock_status rollback(const drydock_call* call) {
  drydock_bytes made;
  if (call->host->recall(call, "made", &made) != DRYDOCK_OK) return DRYDOCK_OK;
  remove(file);
  return exists() ? failed(call, "@name@.txt cannot be removed") : DRYDOCK_OK;
}

static const drydock_stage stage = {sizeof(drydock_stage), "@name@", "Add the file @name@.txt",
                                    schema, 1 /* version of the notes */,
                                    {observe, NULL}, {plan, NULL}, {run, NULL},
                                    {verify, NULL}, {rollback, NULL}, {NULL, NULL}};
static const drydock_stage* const stages[] = {&stage};
static const drydock_plugin plugin = {sizeof(drydock_plugin), DRYDOCK_ABI_MAJOR, DRYDOCK_ABI_MINOR,
                                      "org.example.@name@", "1.0.0", stages, 1};

DRYDOCK_NOTE("org.example.@name@", "1.0.0");
const drydock_plugin* drydock_plugin_v1(void) { return &plugin; }
