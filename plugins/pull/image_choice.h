// Which images a release needs, and where each is to come from: decided from values alone.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compose_images.h"
#include "compose_types.h"

namespace drydock::pull {

// A reference that services of the model start from. Images that are built here, and those that are
// never pulled, are not among them.
struct Wanted {
  std::set<std::string> services;
  std::string platform;       // "" for the engine's own
  std::string names() const;  // "api, worker", for people
};
std::map<std::string, Wanted> wanted_images(const compose::Model& model);

// The references before: of the containers, and of `before` (the files' model; may be empty) for
// services without one. What a service runs counts for more than what its file says by now.
std::set<std::string> old_references(const std::vector<compose::Container>& containers,
                                     const compose::Model& before);

// reference -> ids that containers of this deployment run it as. More than one: its tag was moved
// between the making of two of them.
using Running = std::map<std::string, std::set<std::string>>;
Running running_images(const std::vector<compose::Container>& containers);

// An image within an archive of `load`.
struct Archived {
  std::string file;
  std::string id;  // "" when the archive does not tell
};

struct Question {
  std::map<std::string, Wanted> wanted;
  std::set<std::string> old;
  Running running;
  std::map<std::string, compose::Image> present;  // by reference, by id, by REPOSITORY@DIGEST
  bool all = false;                               // only: all
  bool changed = true;                            // only: changed; false: missing alone
  std::set<std::string> services;                 // only: [...]; empty: all
  bool from_archives = false;                     // load is set: no registry is asked
  std::map<std::string, Archived> archives;       // by listed_name()
  std::map<std::string, std::string> digests;     // reference -> the one that is accepted
};

enum class Source {
  here,      // stays what it is on this engine
  running,   // its tag is given (back) to what runs
  registry,  // the registry is asked for it
  archive,
  digest,   // exactly the given content, wherever its tag points
  nowhere,  // is left out by `only`, and is not there
};

struct Choice {
  Source source = Source::here;
  std::string id;      // what it will name; "" when that is not known yet
  std::string before;  // the id that it names now; "" when it is not on this engine
  std::string digest;
  std::string archive;
  bool moves() const { return source != Source::here && source != Source::nowhere; }
};

// For each wanted reference. Throws BadOptions where an archive that should have an image has not.
std::map<std::string, Choice> choose_images(const Question& question);

// References whose containers run several images, so that their tag cannot mean all of them.
std::set<std::string> ambiguous(const Question& question);

// Whether an engine of `engine` ("linux/amd64") runs images of `image` without an emulator.
bool runs_on(const std::string& image, const std::string& engine);

}  // namespace drydock::pull
