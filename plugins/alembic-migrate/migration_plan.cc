#include "migration_plan.h"

#include <algorithm>
#include <iterator>

#include "script_reader.h"

namespace drydock::alembic {
namespace {

std::string place_of(const MigrationQuestion& question) {
  return "the scripts in " + question.folder + " (" + question.owner + ")";
}

void refuse_newer_database(const MigrationQuestion& question, const RevisionGraph& graph) {
  const std::vector<std::string> unknown = unknown_stamps(graph, question.current);
  if (unknown.empty()) return;
  throw Failed("database " + question.database + " is at revision " + describe(unknown) +
               ", which " + place_of(question) + " do not have, whose head is " +
               describe(graph.heads()) +
               ": the database is newer than they are, or they are others; upgrade to a release "
               "that has that revision, restore the database that belongs to this one, or name the "
               "right scripts with `scripts`");
}

void refuse_overlapping_stamps(const MigrationQuestion& question, const RevisionGraph& graph) {
  if (!question.current) return;
  const auto overlap = graph.overlap(*question.current);
  if (!overlap) return;
  throw Failed("database " + question.database + " is at " + overlap->first + " and at " +
               overlap->second + " at once, which comes after it in " + place_of(question) +
               ", and Alembic refuses such stamps; if its schema is that of " + overlap->second +
               ", delete the other row of alembic_version: DELETE FROM alembic_version WHERE "
               "version_num = '" +
               overlap->first + "'");
}

// An entrypoint that says nothing may well go to all heads, as it has done if the database has
// several stamps.
void refuse_unchosen_heads(const MigrationQuestion& question, const RevisionGraph& graph,
                           bool pending) {
  if (graph.heads().size() < 2) return;
  const bool several_stamps = question.current && question.current->size() > 1;
  const bool unchosen = question.target.empty() && pending && !several_stamps;
  if (question.target != "head" && !unchosen) return;
  throw Failed(place_of(question) + " have several heads (" + describe(graph.heads()) +
               "), and nothing says that database " + question.database +
               " is to go to all of them; let the migrator do that (`upgrade heads` at the end of "
               "`command` or `entrypoint`), or take a release that merges them");
}

std::string counted_revisions(std::size_t count) {
  return count == 1 ? "1 revision" : std::to_string(count) + " revisions";
}

}  // namespace

void refuse_lost_stamp(const MigrationQuestion& question) {
  if (!question.current || !question.current->empty() || !question.has_tables) return;
  throw Failed("database " + question.database +
               " has an empty table alembic_version beside other tables, so its revision is lost, "
               "and a migration would make those tables again; stamp it with the revision that its "
               "schema has (`alembic stamp REVISION`), or restore a backup");
}

bool ends_at_heads(const std::string& target) {
  return target.empty() || target == "head" || target == "heads";
}

PendingTables pending_tables(const MigrationQuestion& question, const RevisionGraph& graph) {
  PendingTables tables;
  if (!question.running || !ends_at_heads(question.target)) return tables;
  for (const RevisionFile* one :
       graph.pending(question.current.value_or(std::vector<std::string>{}))) {
    tables.emplace_back(one->revision, revision_tables(one->source));
  }
  return tables;
}

void describe_tables(const PendingTables& pending, const TableSizes& sizes,
                     std::vector<Change>& changes) {
  for (const auto& [revision, tables] : pending) {
    const std::string text = tables_text(tables, sizes);
    for (Change& change : changes) {
      if (text.empty() || change.action != "run" || change.name != revision) continue;
      change.detail += (change.detail.empty() ? "" : "; ") + text;
    }
  }
}

bool is_at(const Revisions& rows, std::vector<std::string> heads) {
  if (!rows) return false;
  std::vector<std::string> sorted = *rows;
  std::sort(sorted.begin(), sorted.end());
  std::sort(heads.begin(), heads.end());
  return sorted == heads;
}

std::vector<Change> plan_migration(const MigrationQuestion& question, const RevisionGraph& graph) {
  Change change{"revision", "change", question.database};
  change.before = question.running ? describe(question.current) : "not running";
  change.after = describe(graph.effective_heads());
  if (question.running) {
    refuse_lost_stamp(question);
    refuse_newer_database(question, graph);
    refuse_overlapping_stamps(question, graph);
  }
  const std::vector<const RevisionFile*> pending =
      question.running ? graph.pending(question.current.value_or(std::vector<std::string>{}))
                       : std::vector<const RevisionFile*>{};
  refuse_unchosen_heads(question, graph, !question.running || !pending.empty());
  if (!ends_at_heads(question.target)) {
    change.after = question.target;
    change.detail = "as the command says; the head of " + place_of(question) + " is " +
                    describe(graph.effective_heads());
    return {change};
  }
  if (!question.running) {
    change.detail = place_of(question) + "; what is pending is known once the database runs";
    return {change};
  }
  if (is_at(question.current, graph.effective_heads())) {
    change.action = "keep";
    change.detail = "nothing to do: the head of " + place_of(question);
    return {change};
  }
  change.detail = counted_revisions(pending.size()) + " of " + place_of(question);
  std::vector<Change> changes = {change};
  for (const RevisionFile* one : pending) {
    Change step{"revision", "run", one->revision};
    step.detail = one->message;
    changes.push_back(std::move(step));
  }
  return changes;
}

}  // namespace drydock::alembic
