/* drydock/stage.h: the boundary between Drydock and a stage plugin. Plain C99.
 *
 * A plugin is one .so file that exports one function, drydock_plugin_v1(), which returns a static
 * description of the plugin and of the stage types it provides. Drydock never loads the file into
 * its own process: a worker (drydock-stage) loads it, performs ONE step of one stage (or observe
 * and then plan) and exits. So a plugin needs no clean-up, may use global state, and cannot hurt
 * the run by crashing.
 *
 * C++ authors include stage.hpp instead, which wraps all of this.
 *
 * Versions. A plugin is accepted when its abi_major equals the host's and its abi_minor is not
 * greater: one that is built today loads in every later host of the same major. Structs grow only
 * at the end, and each begins with its size, which whoever fills it in sets to its sizeof, so that
 * a newer host can read an older plugin; a member that is not filled in is 0 (drydock_bytes and
 * drydock_step have no size: they never grow).
 *
 * Ownership. Nothing allocated on one side is freed on the other. Every pointer that a plugin
 * receives, the call itself too, lives until the step returns (what on_line gets: until on_line
 * returns), also when the same is asked or remembered again; every pointer that it passes to a host
 * function is copied before that function returns. What describes the plugin lives as long as the
 * process, and never changes.
 *
 * Threads. A step is called on one thread. Threads that it starts may call the host, several at
 * once, and have to be gone when the step returns. Two steps never run at once in one process.
 *
 * Text. Names, keys, words and paths are NUL-terminated bytes; where nothing else is said they are
 * neither NULL nor empty, and at most 4096 bytes. Values are pointer and length, may hold any bytes
 * and need not be UTF-8. What a person is shown is taken for UTF-8: what is none, and control
 * characters, are made visible. Sentences and log lines are cut after 64 KiB. JSON Pointers and the
 * keys of options are UTF-8. No text of the call is NULL: what is not there is "".
 *
 * Room. What one call of the host hands over is at most 4 MiB (a note 1 MiB), but for the input of
 * a process, which may have any size. All options of a stage together have at most 4 MiB, too.
 *
 * Future. Flags, words and values that this file does not name are refused (BUG), so that a later
 * minor version can give them a meaning. A plugin takes a status that it does not know for FAILED,
 * and leaves alone an option whose type it does not know.
 *
 * Surroundings. A step finds the deployment as working directory, /dev/null as standard input, the
 * environment that drydock_process tells of, SIGPIPE ignored, and on descriptor 3 Drydock's
 * connection, which is not the plugin's. What it prints becomes lines of the log. A process that
 * outlives the step is ended, and named in a warning.
 */
#ifndef DRYDOCK_STAGE_H
#define DRYDOCK_STAGE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DRYDOCK_ABI_MAJOR 1
#define DRYDOCK_ABI_MINOR 0

typedef struct drydock_bytes {
  const char* data; /* not NUL-terminated; may be NULL when size is 0 */
  size_t size;
} drydock_bytes;

/* What a step returns, and what every host function returns. */
typedef int32_t drydock_status;
enum {
  DRYDOCK_OK = 0,
  DRYDOCK_FAILED = 1, /* step: see fail() for the sentence; host: the operating system refused */
  DRYDOCK_BAD_OPTIONS = 2, /* step: what the schema could not express; nothing was changed */
  DRYDOCK_CANCELLED = 3,   /* the run is being cancelled, or the deadline passed (a rollback is
                              cancelled by its deadline alone) */
  DRYDOCK_BUG = 4,         /* the plugin broke a rule of this file. Where a host function returned
                              it, the step has ended as BUG, whatever it returns itself */
  DRYDOCK_UNKNOWN = 5,     /* plan only: depends on something that is not known yet; what fail()
                              was told completes "known ...": "after pull" */
  DRYDOCK_NOT_FOUND = 6,   /* host only: no such option, secret, note or index */
  DRYDOCK_NO_MEMORY = 7    /* step: memory ran out; the host has a sentence for it */
};

typedef struct drydock_call drydock_call;

/* --- what a step may ask the host ------------------------------------------------------------
 * Each function may be called in every step, but where its comment names some. */

enum {
  DRYDOCK_LOG_DEBUG = 0, /* shown with --verbose only */
  DRYDOCK_LOG_INFO = 1,
  DRYDOCK_LOG_WARNING = 2,
  DRYDOCK_LOG_ERROR = 3
};

/* An option's value. Defaults of the schema are already applied. Strings whose schema has
 * "format": "duration" arrive as INTEGER milliseconds, "format": "size" as INTEGER bytes.
 * Options that the schema marks "writeOnly" arrive as SECRET, without bytes: see secret(). */
typedef int32_t drydock_type;
enum {
  DRYDOCK_NULL = 0,
  DRYDOCK_BOOLEAN = 1,
  DRYDOCK_INTEGER = 2,
  DRYDOCK_NUMBER = 3,
  DRYDOCK_STRING = 4,
  DRYDOCK_ARRAY = 5,
  DRYDOCK_OBJECT = 6,
  DRYDOCK_SECRET = 7
};

typedef struct drydock_value {
  uint32_t struct_size; /* set by the caller to sizeof(drydock_value) */
  drydock_type type;
  int32_t boolean;
  int64_t integer;    /* also set for a BOOLEAN (0, 1) */
  double number;      /* also set for an INTEGER */
  drydock_bytes text; /* of a STRING; of a NUMBER or INTEGER as JSON writes it */
  size_t size;        /* members of an ARRAY or OBJECT */
} drydock_value;

/* One change that run would make, reported by plan. */
typedef struct drydock_change {
  uint32_t struct_size;
  const char* what;     /* one of: file variable image service database revision command request
                           rollback */
  const char* action;   /* one of: add change remove keep start stop retire pull save run check; and
                           lose, only of `rollback`: what a rollback could not put back as it was.
                           Where nobody is asked, such a run needs --accept-partial-rollback */
  const char* name;     /* which file, variable, image, ...; may be "", and of any length */
  drydock_bytes before; /* empty where there is none; never a secret */
  drydock_bytes after;  /* the same */
  const char* detail;   /* for people: why, or what is special; may be NULL; of any length */
  int64_t disk_bytes;   /* disk that the change needs; -1: not known, 0: none */
  const char* rollback_loses; /* what a rollback would lose, for people; NULL: nothing; of any
                                 length */
} drydock_change;

enum {
  DRYDOCK_INFORMATIONAL = 0,
  DRYDOCK_MUST_RETURN =
      1, /* equal before the run and after its rollback, else the rollback failed */
  DRYDOCK_FACT_SECRET = 2 /* flag: the host keeps only an HMAC of the value */
};

enum {
  DRYDOCK_OUTPUT_SECRET = 1,  /* flag: masked wherever it is written */
  DRYDOCK_OUTPUT_PROMOTE = 2, /* flag: later waves of a rollout may refer to it */
  DRYDOCK_OUTPUT_PLANNED = 4  /* flag: set by plan; later stages' plans may use it */
};

/* A command to run in the worker's process group. No shell is involved. The child dies with the
 * worker, is ended when the step is cancelled, and gets a scrubbed environment (PATH, HOME, USER,
 * LANG, TERM=dumb, TZ, XDG_*, DOCKER_*, SSH_AUTH_SOCK, and the host's proxy variables) plus
 * `environment`. To be ended means SIGTERM, and SIGKILL a while later. Arguments and variables may
 * have any length that the system takes. */
typedef struct drydock_process {
  uint32_t struct_size;
  const char* const* arguments;   /* NULL-terminated; arguments[0] is looked up in the PATH that the
                                     command gets, or relative to `directory` where it
                                     has a '/' */
  const char* const* environment; /* NULL-terminated "NAME=value", which replaces what has that
                                     NAME; may be NULL. Secrets belong here */
  const char* directory;   /* NULL: the deployment. This path and the next two are relative to the
                              deployment, or absolute */
  drydock_bytes input;     /* standard input; ignored when input_file is set */
  const char* input_file;  /* NULL: input, or /dev/null when that is empty */
  const char* output_file; /* standard output goes to this file (created or truncated, 0600)
                              instead of to on_line; NULL: to on_line */
  int64_t timeout_ms;      /* then it is ended; 0: until the step's own deadline */
  /* Called for each line, without its '\n', on the thread that called run_process and before that
   * returns; it may call the host. The bytes live until it returns. Lines longer than 1 MiB come in
   * pieces. stream is 1 (stdout) or 2 (stderr). Returns OK; anything else ends the command, and
   * on_line is not called again. NULL: every line becomes a log line of level INFO. */
  drydock_status (*on_line)(void* user, int32_t stream, drydock_bytes line);
  void* user; /* handed to on_line as it is */
} drydock_process;

typedef struct drydock_exit {
  uint32_t struct_size;
  int32_t code;      /* the exit code, or -1 when a signal ended it */
  int32_t signal;    /* the signal, or 0 */
  int32_t timed_out; /* 1 when timeout_ms ended it; code may then be 0 all the same */
  int32_t stopped;   /* 1 when on_line ended it; the same */
} drydock_exit;

typedef struct drydock_host {
  uint32_t struct_size;
  /* A line for the run's log and, where it matters enough, for the screen; secrets are masked. */
  drydock_status (*log)(const drydock_call*, int32_t level, drydock_bytes text);
  /* total 0: not known. unit: "bytes", "files", "revisions", ...; may be NULL. Cheap: the host
   * drops what comes too fast for a person. */
  drydock_status (*progress)(const drydock_call*, uint64_t done, uint64_t total, const char* unit);
  /* The sentence that explains a status other than OK: place, both values, remedy. The last wins.
   */
  drydock_status (*fail)(const drydock_call*, drydock_bytes text);
  /* 1 when the step should stop, else 0. The same moment cancel_fd of the call becomes readable. */
  int32_t (*cancelled)(const drydock_call*);

  /* Options by JSON Pointer (RFC 6901): "" is the whole object, "/databases/0/names". NOT_FOUND:
   * not given, and without a default. */
  drydock_status (*option)(const drydock_call*, const char* pointer, drydock_value* out);
  /* The key of member `index` of the OBJECT at pointer. Members are sorted by their bytes: the
   * order of the YAML is not kept. */
  drydock_status (*option_key)(const drydock_call*, const char* pointer, size_t index,
                               drydock_bytes* out);
  /* The value of an option that the schema marks writeOnly, by its JSON Pointer. */
  drydock_status (*secret)(const drydock_call*, const char* pointer, drydock_bytes* out);

  /* A value for later stages: ${{ stages.ID.outputs.NAME }}. The name is of letters, digits, '_'
   * and '-'; what has it already is replaced. In plan (with the flag PLANNED only), run and verify. */
  drydock_status (*output)(const drydock_call*, const char* name, drydock_bytes value,
                           uint32_t flags);
  /* A file that a person may want, mostly of the private directory: a dump, a saved configuration.
   * The path is absolute, or relative to the deployment; description may be NULL. In run, verify,
   * rollback and settle. */
  drydock_status (*artifact)(const drydock_call*, const char* name, const char* path,
                             const char* description);

  /* Makes a note durable; it is on disk when this returns OK. At most 1 MiB; BUG when it is larger
   * or contains a known secret (those go into a file of the private directory). What has the key
   * already is replaced, and recall finds the new value at once. In run, verify, rollback and
   * settle. */
  drydock_status (*remember)(const drydock_call*, const char* key, drydock_bytes value);
  drydock_status (*recall)(const drydock_call*, const char* key, drydock_bytes* out);
  /* Notes in the order in which their keys were first remembered. */
  drydock_status (*note_at)(const drydock_call*, size_t index, drydock_bytes* key,
                            drydock_bytes* value);

  /* In plan. */
  drydock_status (*change)(const drydock_call*, const drydock_change*);
  /* In plan: a file or folder that run will read: relative to the deployment, or absolute. A run
   * that was interrupted does not go on, and a saved plan is not carried out, once it is another.
   * Where an earlier stage's plan left a copy, that is what counts. */
  drydock_status (*input)(const drydock_call*, const char* path);
  /* `kind` is INFORMATIONAL or MUST_RETURN, or'ed with FACT_SECRET. What has the name already is
   * replaced. In observe; and in run, when it is informational: what was found right before the
   * change, against which `plan --rollback` then says what happened since. */
  drydock_status (*fact)(const drydock_call*, const char* name, drydock_bytes value, uint32_t kind);

  /* Returns when the command has ended: OK with its exit in `out` whatever the exit code, FAILED
   * when it could not be started (fail() then holds the reason), CANCELLED when the step was
   * cancelled, before or meanwhile. Several may run at once, each on a thread of its own. */
  drydock_status (*run_process)(const drydock_call*, const drydock_process*, drydock_exit* out);
} drydock_host;

/* --- what a step is told ---------------------------------------------------------------------- */

struct drydock_call {
  uint32_t struct_size;
  const drydock_host* host; /* what the step may ask */
  void* host_data;          /* the host's own */

  const char* stage_id;       /* `id:` of the stage in the pipeline */
  const char* step;           /* "observe", "plan", "run", "verify", "rollback" or "settle" */
  const char* deployment_dir; /* absolute; the working directory of the step too */
  const char* planned_dir;    /* plan, and run and verify of `drydock rehearse`: private folder that
                                 mirrors the deployment. A plan writes its run's files here, and looks
                                 for PATH of the deployment here first (stage.hpp: planned()).
                                 Else "" */
  const char* planning_dir;   /* while a run is planned: private folder that observe and plan of all
                                 stages share, for answers that hold as long as nothing changes and
                                 for words to later plans. "" when anything may have changed */
  const char* private_dir; /* this stage's folder in this run, 0700, kept for a rollback; "" in plan
                              and in observe before a run */
  const char* snapshot_dir; /* files of the deployment as the last finished run (or init) left them;
                               "" when there is none */
  const char* run_label;    /* "drydock.run=<deployment>/<run>" for `docker run --label`; "" in plan
                               and in observe before a run */
  uint64_t run_id;     /* 0 before a run; a plan that is repeated during the run has its number */
  uint32_t attempt;    /* 1, 2, ... of this step in this run */
  int32_t interrupted; /* 1 when an earlier attempt of this stage died or was killed */
  int64_t deadline_ms; /* CLOCK_MONOTONIC, milliseconds; 0: none */
  int32_t may_fetch;   /* plan: caches (images, release files) may be filled */
  int32_t cancel_fd;   /* readable once the step is cancelled: for poll(); never read from it, nor
                          close it */

  /* The Compose project, for `docker compose`. project is "" when the deployment has no compose
   * files. Paths are absolute; the lists end with NULL. */
  const char* project;
  const char* const* compose_files;
  const char* const* profiles;
  /* The whole Compose model as it was resolved before the run's first change: a file as `docker
   * compose config --format json` writes it, 0600, with the secrets that it holds. It can be used
   * as a compose file of its own after the release's files were switched. "" when there is none. A
   * stage that needs it for a rollback copies it into its private_dir. */
  const char* model_before;

  const char* next_dir; /* what a plan that may fetch keeps for the run and for later plans: the
                           files of a new release. May be missing as yet; whoever writes first makes
                           it, 0700. It is no state of the deployment */
};

/* --- what a plugin says of itself --------------------------------------------------------------
 */

/* No exception may leave `perform`, and no longjmp. */
typedef struct drydock_step {
  drydock_status (*perform)(const drydock_call*); /* NULL: the stage type lacks this step */
  const char* only_with; /* JSON Pointer of an option without which (or with null as which) the step
                            does not exist; NULL: always */
} drydock_step;

typedef struct drydock_stage {
  uint32_t struct_size;
  const char* name;           /* what `uses:` says; [a-z][a-z0-9_-]*, at most 64 bytes; once in a
                                 plugin */
  const char* summary;        /* one line of UTF-8, at most 200 bytes */
  const char* options_schema; /* JSON Schema (draft 7) of `with:`, an object; those of all stage
                                 types together are at most 4 MiB */
  uint32_t notes_version;     /* from 1; raise when rollback can no longer read older notes */
  /* Reads; reports as facts whatever this stage could change. */
  drydock_step observe;
  /* Changes nothing of the deployment; reports each change that run would make. */
  drydock_step plan;
  /* Required. Remembers before each change; safe to repeat after an interruption. */
  drydock_step run;
  /* Proves the result from the world, never from an exit code. */
  drydock_step verify;
  /* First pass of a rollback, in reverse order: stops what this stage started, puts back what it
   * changed. From notes alone, in another process, after run died anywhere; safe to repeat. */
  drydock_step rollback;
  /* Second pass, in pipeline order: starts again what ran before, and waits until it is healthy. */
  drydock_step settle;
} drydock_stage;

typedef struct drydock_plugin {
  uint32_t struct_size;
  uint16_t abi_major;  /* DRYDOCK_ABI_MAJOR */
  uint16_t abi_minor;  /* DRYDOCK_ABI_MINOR */
  const char* id;      /* reverse domain name: "org.example.greet"; a letter or digit, then letters,
                          digits, '.', '_' and '-', at most 100 bytes */
  const char* version; /* "1.4.0": the same, and '+' and '~', at most 64 bytes. Compared by its
                          numbers; "1.4-rc1" comes before "1.4" */
  const drydock_stage* const* stages;
  size_t stage_count; /* 1 to 256 */
} drydock_plugin;

#if defined(__GNUC__)
#define DRYDOCK_EXPORT __attribute__((visibility("default")))
/* `retain` holds against --gc-sections; without it (gcc before 11, clang before 13) do not link
 * with that. */
#if defined(__has_attribute)
#if __has_attribute(retain)
#define DRYDOCK_IN_NOTE_SECTION __attribute__((section(".drydock"), used, retain))
#endif
#endif
#ifndef DRYDOCK_IN_NOTE_SECTION
#define DRYDOCK_IN_NOTE_SECTION __attribute__((section(".drydock"), used))
#endif
#else
#define DRYDOCK_EXPORT
#define DRYDOCK_IN_NOTE_SECTION
#endif

/* The one exported function. Returns the same each time, and never NULL. */
DRYDOCK_EXPORT const drydock_plugin* drydock_plugin_v1(void);

#define DRYDOCK_QUOTE_(x) #x
#define DRYDOCK_QUOTE(x) DRYDOCK_QUOTE_(x)

/* Identity that can be read without executing the file: once per plugin, with the same id and
 * version as in drydock_plugin. Read back by `drydock stages` and before every load. */
#define DRYDOCK_NOTE(plugin_id, plugin_version)                                  \
  DRYDOCK_IN_NOTE_SECTION static const char drydock_note[] =                     \
      "drydock-plugin\nabi=" DRYDOCK_QUOTE(DRYDOCK_ABI_MAJOR) "." DRYDOCK_QUOTE( \
          DRYDOCK_ABI_MINOR) "\nid=" plugin_id "\nversion=" plugin_version "\n"

#ifdef __cplusplus
}
#endif

#endif
