#include "view_plan.h"

#include <algorithm>
#include <deque>
#include <map>

#include "text.h"

namespace drydock {
namespace {

using nlohmann::json;
using Texts = std::vector<std::string>;
using Changes = std::vector<const json*>;  // of the events that a report keeps

struct Group {
  const char* what;
  const char* heading;
  std::size_t shown;  // lines on a screen that does not show all
};
// In the order in which a person wants to know.
constexpr Group groups[] = {
    {"image", "Images", 12},
    {"variable", "Environment", 16},
    {"file", "Files", 8},
    {"service", "Services", 12},
    {"database", "Databases", 8},
    {"revision", "Revisions", 8},
    {"command", "Commands", 12},
    {"request", "Requests", 8},
    {"rollback", "Not wholly put back by a rollback", 8},
};
// What is lost or replaced comes before what is only added.
constexpr const char* actions[] = {"retire", "remove", "stop",  "change", "pull", "save",
                                   "add",    "run",    "start", "check",  "keep", "lose"};
constexpr std::size_t longest_value = 60;

std::size_t rank_of(const std::string& action) {
  return static_cast<std::size_t>(std::find(std::begin(actions), std::end(actions), action) -
                                  std::begin(actions));
}

std::string value_text(const json& change, const char* key, const ViewStyle& style) {
  const std::string value = one_line(text_at(change, key));
  return style.shows_all() ? value : shorten(value, longest_value);
}

// What stands behind the name: "1.0 -> 2.0 (why)". Empty when the name says it all.
std::string rest_of(const json& change, const ViewStyle& style) {
  const Ink ink(style);
  const std::string before = value_text(change, "before", style);
  const std::string after = value_text(change, "after", style);
  const std::string detail = one_line(text_at(change, "detail"));
  std::string rest = before;
  if (before != after) {
    if (!before.empty() && !after.empty()) rest += " " + ink.arrow + " ";
    rest += after;
  }
  if (!detail.empty()) rest += (rest.empty() ? "(" : " (") + detail + ")";
  return rest;
}

struct Row {
  std::string action, name, rest;
  std::size_t changes = 1;  // that it stands for
};

// What stays or is new for one and the same reason is named in one row, unless all is shown.
constexpr std::size_t fewest_to_join = 4, names_of_joined = 3;

std::string reason_to_join(const json& change) {
  const std::string action = text_at(change, "action");
  return action == "keep" || action == "add" ? action + " " + text_at(change, "detail") : "";
}

// made: keeps what stands for several.
Changes joined_by_reason(const Changes& changes, std::deque<json>& made) {
  std::map<std::string, Changes> by_reason;
  for (const json* change : changes) {
    if (!text_at(*change, "detail").empty()) by_reason[reason_to_join(*change)].push_back(change);
  }
  Changes result;
  for (const json* change : changes) {
    const std::string reason = reason_to_join(*change);
    const auto found = reason.empty() ? by_reason.end() : by_reason.find(reason);
    if (found == by_reason.end() || found->second.size() < fewest_to_join) {
      result.push_back(change);
    } else if (found->second.front() == change) {
      Texts names;
      for (std::size_t i = 0; i < names_of_joined; ++i) {
        names.push_back(text_at(*found->second[i], "name"));
      }
      json all = {{"action", change->at("action")}, {"detail", change->at("detail")}};
      all["name"] = join(names, ", ") + " and " +
                    std::to_string(found->second.size() - names_of_joined) + " more";
      all["stands_for"] = found->second.size();
      result.push_back(&made.emplace_back(std::move(all)));
    }
  }
  return result;
}

// Names that stand alone share a row with their neighbours of the same action.
std::vector<Row> rows_of(const Changes& changes, const ViewStyle& style) {
  std::vector<Row> rows;
  for (const json* change : changes) {
    Row row{one_line(text_at(*change, "action")), one_line(text_at(*change, "name")),
            rest_of(*change, style),
            static_cast<std::size_t>(std::max<std::int64_t>(1, number_at(*change, "stands_for")))};
    const bool joins = !rows.empty() && row.rest.empty() && rows.back().rest.empty() &&
                       rows.back().action == row.action;
    if (joins) {
      rows.back().name += ", " + row.name;
      rows.back().changes += row.changes;
    } else {
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

// "2 to change, 700 to keep"
std::string totals(const Changes& changes) {
  std::map<std::size_t, std::pair<std::string, std::int64_t>> counts;
  for (const json* change : changes) {
    auto& [action, count] = counts[rank_of(text_at(*change, "action"))];
    action = one_line(text_at(*change, "action"));
    ++count;
  }
  Texts texts;
  for (const auto& [rank, counted] : counts) {
    texts.push_back(std::to_string(counted.second) + " to " + counted.first);
  }
  return join(texts, ", ");
}

void append(Lines& lines, const Lines& more) {
  lines.insert(lines.end(), more.begin(), more.end());
}

// The lines of each row, one below the other.
std::vector<Lines> lines_of(const std::vector<Row>& rows, const ViewStyle& style) {
  std::size_t action_width = 0, name_width = 0;
  for (const Row& row : rows) {
    action_width = std::max(action_width, display_width(row.action));
    if (!row.rest.empty() && row.changes == 1)
      name_width = std::max(name_width, display_width(row.name));
  }
  name_width = std::min<std::size_t>(name_width, 28);
  std::vector<Lines> result;
  for (const Row& row : rows) {
    const std::string first = "  " + pad(row.action, action_width) + "  ";
    const std::string text =
        row.rest.empty() ? row.name : pad(row.name, name_width) + "  " + row.rest;
    const std::string next(action_width + (row.rest.empty() ? 4 : 6), ' ');
    result.push_back(wrap(text, style.width, first, next));
  }
  return result;
}

// The rows that fit into so many lines: of each action the first ones, then what comes first.
std::vector<Row> fitting(const std::vector<Row>& rows, const std::vector<Lines>& lines,
                         std::size_t most) {
  constexpr std::size_t of_each_action = 3;
  std::vector<bool> shown(rows.size(), false);
  std::size_t used = 0;
  for (const bool first_ones : {true, false}) {
    std::size_t of_action = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      of_action = i > 0 && rows[i].action == rows[i - 1].action ? of_action + 1 : 0;
      if (shown[i] || (first_ones && of_action >= of_each_action)) continue;
      // The first row is shown however long it is.
      if (used + lines[i].size() > most && used > 0) continue;
      shown[i] = true;
      used += lines[i].size();
    }
  }
  std::vector<Row> fit;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (shown[i]) fit.push_back(rows[i]);
  }
  return fit;
}

void show_group(Lines& lines, const char* heading, Changes changes, std::size_t most,
                const ViewStyle& style) {
  const Ink ink(style);
  std::stable_sort(changes.begin(), changes.end(), [](const json* a, const json* b) {
    return rank_of(text_at(*a, "action")) < rank_of(text_at(*b, "action"));
  });
  lines.emplace_back();
  lines.push_back(ink.bold(heading) + ": " + totals(changes));

  // Of 700 variables that stay as they are only those are worth a line that say why.
  const auto plain_keep = [](const json* change) {
    return text_at(*change, "action") == "keep" && text_at(*change, "detail").empty();
  };
  std::deque<json> made;
  if (!style.shows_all()) {
    changes.erase(std::remove_if(changes.begin(), changes.end(), plain_keep), changes.end());
    changes = joined_by_reason(changes, made);
  }
  const auto counted = [](const std::vector<Row>& rows) {
    std::size_t count = 0;
    for (const Row& row : rows) count += row.changes;
    return count;
  };
  const std::vector<Row> rows = rows_of(changes, style);
  const std::vector<Row> shown =
      style.shows_all() ? rows : fitting(rows, lines_of(rows, style), most);
  for (const Lines& row : lines_of(shown, style)) append(lines, row);
  const std::size_t left_out = counted(rows) - counted(shown);
  if (left_out > 0) {
    lines.push_back("  " + ink.ellipsis + " and " + std::to_string(left_out) +
                    " more (--all lists them)");
  }
}

bool changes_something(const json& stage) {
  const json& changes = list_at(stage, "changes");
  return text_at(stage, "state") == "unknown" ||
         std::any_of(changes.begin(), changes.end(), [](const json& change) {
           const std::string action = text_at(change, "action");
           return action != "keep" && action != "check" && action != "lose";
         });
}

std::string disk_text(std::int64_t bytes) {
  if (bytes < 0) return "not known yet";
  return bytes == 0 ? "none" : format_size(bytes);
}

}  // namespace

void PlanReport::add(const Event& event) {
  if (event.type == "plan.started") {
    started_ = event.data;
    stages_.clear();
  } else if (event.type == "stage.planned") {
    stages_.push_back(event);
  } else if (event.type == "plan.finished") {
    finished_ = event.data;
  }
}

Lines PlanReport::header(const ViewStyle& style) const {
  const std::string dir = text_at(started_, "deployment");
  const std::string project = text_at(started_, "project"), engine = text_at(started_, "engine");
  Texts files;
  for (const std::string& path : texts_at(started_, "compose_files")) {
    files.push_back(below(dir, path));
  }
  Lines lines = wrap("Plan of " + pipeline_text(started_) + ": " +
                         (project.empty() ? "no Compose project" : "project " + project) + ", " +
                         (files.empty() ? "no compose files" : join(files, ", ")) + ", " +
                         (engine.empty() ? "no engine reached" : "engine " + engine),
                     style.width, "", "  ");
  const auto vars = started_.find("vars");
  Texts assignments;
  if (vars != started_.end() && vars->is_object()) {
    for (const auto& [name, value] : vars->items()) {
      assignments.push_back(name + "=" + plain_text(value));
    }
  }
  if (!assignments.empty()) {
    append(lines, wrap("with " + join(assignments, ", "), style.width, "  ", "    "));
  }
  return lines;
}

Lines PlanReport::body(const ViewStyle& style) const {
  std::map<std::string, Changes> by_what;
  Texts unknown, skipped, for_good;
  std::map<std::int64_t, Texts> blocks;
  for (const Event& stage : stages_) {
    if (const std::int64_t block = number_at(stage.data, "parallel"); block != 0) {
      blocks[block].push_back(stage.stage);
    }
    const std::string state = text_at(stage.data, "state"), reason = text_at(stage.data, "reason");
    const std::string why = reason.empty() ? "" : " (" + reason + ")";
    if (state == "unknown") unknown.push_back(stage.stage + why);
    if (state == "skipped") skipped.push_back(stage.stage + why);
    if (state != "skipped" && !flag_at(stage.data, "has_rollback") &&
        !flag_at(stage.data, "final") && changes_something(stage.data)) {
      for_good.push_back(stage.stage);
    }
    for (const json& change : list_at(stage.data, "changes")) {
      by_what[text_at(change, "what")].push_back(&change);
    }
  }

  Lines lines;
  for (const Group& group : groups) {
    const auto found = by_what.find(group.what);
    if (found == by_what.end()) continue;
    show_group(lines, group.heading, found->second, group.shown, style);
    by_what.erase(found);
  }
  for (const auto& [what, changes] : by_what) {
    show_group(lines, ("Other: " + one_line(what)).c_str(), changes, 8, style);
  }
  lines.emplace_back();
  const auto say = [&](const std::string& text) {
    append(lines, wrap(text, style.width, "", "  "));
  };
  if (number_at(finished_, "changes") == 0 && unknown.empty()) say("Nothing would change.");
  if (!unknown.empty()) say("Known only later: " + join(unknown, ", ") + ".");
  if (!skipped.empty()) say("Skipped: " + join(skipped, ", ") + ".");
  for (const auto& [number, stages] : blocks) say("At once: " + join(stages, ", ") + ".");
  if (const std::string url = text_at(finished_, "probe"); !url.empty()) {
    say("Measured: how long " + url + " does not answer.");
  }
  say("Disk needed: " + disk_text(number_at(finished_, "disk_bytes")) + ".");
  if (!for_good.empty()) {
    say("Without a rollback (what they do stays done): " + join(for_good, ", ") + ".");
  }
  const Texts loses = texts_at(finished_, "loses");
  if (loses.empty()) {
    say("A rollback would lose nothing.");
  } else {
    say("A rollback would lose:");
    for (const std::string& loss : loses) append(lines, wrap(loss, style.width, "  - ", "    "));
  }
  return lines;
}

}  // namespace drydock
