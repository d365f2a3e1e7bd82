// Brings the journal that it is given to a newer schema, by which no Drydock goes yet:
// journal_faults.py kills it meanwhile. Its third step only adds, so that taking the number of the
// version back makes the journal one of this Drydock again.
#include <array>
#include <iostream>

#include "journal.h"

namespace {

constexpr std::array<const char*, 3> third = {
    "ALTER TABLE runs ADD COLUMN colour TEXT NOT NULL DEFAULT 'none'",
    "UPDATE runs SET colour = 'blue'", "CREATE INDEX runs_by_colour ON runs (colour)"};
constexpr std::array<drydock::Migration, 3> newer = {
    {{1, drydock::journal_schema}, {2, drydock::journal_removed_keys}, {3, third}}};

}  // namespace

int main(int, char** arguments) {
  try {
    const drydock::Journal journal(arguments[1], newer);
    journal.check();
  } catch (const drydock::Error& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
