// Where something stands in a file that a person wrote.
#pragma once

#include <map>
#include <string>

namespace drydock {

struct Place {
  std::string file;
  int line = 0, column = 0;   // from 1; 0: the whole file
  std::string text() const {  // "drydock.yaml:12:5"
    if (line == 0) return file;
    return file + ":" + std::to_string(line) + ":" + std::to_string(column);
  }
};

// JSON Pointer of a value -> where it stands.
using Places = std::map<std::string, Place>;

}  // namespace drydock
