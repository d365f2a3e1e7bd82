#include "source_stage.h"

#include "checkout_steps.h"
#include "folder_steps.h"
#include "origin.h"

namespace drydock::source {
namespace {

bool is_checkout(const Call& call) { return origin_of(call) == Origin::checkout; }

}  // namespace

const char* const Source::options = R"json({
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "directory": {"type": "string", "minLength": 1,
      "description": "folder with the new release's files, relative to the deployment; with `archive` or another `repository` the folder within it"},
    "git": {"type": "object", "additionalProperties": false, "required": ["ref"],
      "description": "the release is a tag of a git repository",
      "properties": {
        "ref": {"type": "string", "minLength": 1, "description": "the release's tag"},
        "repository": {"type": "string", "minLength": 1,
          "description": "URL or path of another repository, of which only the files are taken; by default the deployment's own checkout is switched to the tag"}
      },
      "examples": [{"ref": "1.14.1"}]},
    "local_changes": {"type": "string", "enum": ["merge", "refuse"], "default": "merge",
      "description": "files of the checkout that were changed here: merge them with the release's changes (what cannot be merged is refused), or refuse"},
    "archive": {"type": "string", "minLength": 1,
      "description": "file or http(s) URL of a tar, plain or compressed; not the place for a password, since plans and logs show it",
      "examples": ["../releases/app-2.0.tar.gz"]},
    "sha256": {"type": "string", "pattern": "^[0-9a-fA-F]{64}$",
      "description": "what the archive's SHA-256 must be; required with `archive`"},
    "strip": {"type": "integer", "minimum": 0, "default": 0,
      "description": "how many leading parts of the archive's paths to leave out, as tar's `--strip-components`"},
    "exclude": {"type": "array", "items": {"type": "string", "minLength": 1},
      "default": ["/.env", "/.drydock", ".git", "/volumes", "/env-backup"],
      "description": "globs of what is never touched, as in .gitignore; /.env, /.drydock and .git never are. Not for a checkout, where git knows what is its own"}
  }
})json";

void Source::observe(Call& call) {
  is_checkout(call) ? observe_checkout(call) : observe_folder(call);
}
void Source::plan(Call& call) { is_checkout(call) ? plan_checkout(call) : plan_folder(call); }
void Source::run(Call& call) { is_checkout(call) ? run_checkout(call) : run_folder(call); }
void Source::verify(Call& call) { is_checkout(call) ? verify_checkout(call) : verify_folder(call); }
void Source::rollback(Call& call) {
  is_checkout(call) ? rollback_checkout(call) : rollback_folder(call);
}

}  // namespace drydock::source
