/* A whole plugin in C99: shows that stage.h alone is enough. */
#include <drydock/stage.h>
#include <string.h>

static drydock_bytes text(const char* value) {
  drydock_bytes result;
  result.data = value;
  result.size = strlen(value);
  return result;
}

static drydock_status plan(const drydock_call* call) {
  drydock_change change = {0};
  drydock_value greeting = {0};
  greeting.struct_size = sizeof greeting;
  if (call->host->option(call, "/greeting", &greeting) != DRYDOCK_OK) {
    call->host->fail(call, text("no greeting"));
    return DRYDOCK_BAD_OPTIONS;
  }
  change.struct_size = sizeof change;
  change.what = "file";
  change.action = "add";
  change.name = "greeting";
  change.after = greeting.text;
  return call->host->change(call, &change);
}

static drydock_status run(const drydock_call* call) {
  return call->host->remember(call, "greeting", text("absent"));
}

static const drydock_stage greet = {
    sizeof(drydock_stage), "greet",     "Greet",      "{}",         1,           {NULL, NULL},
    {plan, NULL},          {run, NULL}, {NULL, NULL}, {NULL, NULL}, {NULL, NULL}};
static const drydock_stage* const stages[] = {&greet};
static const drydock_plugin plugin = {sizeof(drydock_plugin),
                                      DRYDOCK_ABI_MAJOR,
                                      DRYDOCK_ABI_MINOR,
                                      "org.example.c",
                                      "1.0.0",
                                      stages,
                                      1};

DRYDOCK_NOTE("org.example.c", "1.0.0");

const drydock_plugin* drydock_plugin_v1(void) { return &plugin; }
