// The words by which a plugin names itself, as stage.h has them. They come from a file that nobody
// has vouched for, and go onto the screen, into file names and into the journal.
#pragma once

#include <string>
#include <string_view>

namespace drydock {

bool is_plugin_id(std::string_view id);            // "org.example.greet"
bool is_plugin_version(std::string_view version);  // "1.4.0-rc1"
bool is_stage_type(std::string_view name);         // "restart-queue"
bool is_summary(std::string_view summary);         // one line that can be shown as it is

// A text of a plugin's that may hold anything, for a sentence: quoted, visible, short.
std::string quoted_word(std::string_view text);

}  // namespace drydock
