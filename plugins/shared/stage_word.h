// What stages leave for the later ones of the same run: one file per stage, in its private folder,
// so that none writes over another's and each can take its own back.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace drydock::files {

// Where the stage with this private folder leaves its word. kind: what it is about, "images".
std::string own_word(const std::string& private_dir, std::uint64_t run_id, const std::string& kind);
// The words of all stages of the run, sorted by the stages' ids.
std::vector<std::string> all_words(const std::string& private_dir, std::uint64_t run_id,
                                   const std::string& kind);
// For `rollback`. Gone for good when it returns; safe to repeat. Throws FileError.
void take_back_word(const std::string& private_dir, std::uint64_t run_id, const std::string& kind);

}  // namespace drydock::files
