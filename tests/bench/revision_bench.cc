// What it costs to read the migration scripts of a large application: 1,000 revision files of 3 KB,
// in a chain with a merge in every twentieth, as values in memory.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "revision_graph.h"

using drydock::alembic::read_revision_file;
using drydock::alembic::RevisionFile;
using drydock::alembic::RevisionGraph;

namespace {

constexpr int count = 1000;

std::string source(int number) {
  const std::string name = "r" + std::to_string(number);
  std::string down = number == 0 ? "None" : "'r" + std::to_string(number - 1) + "'";
  if (number % 20 == 0 && number > 20) {
    down = "(" + down + ", 'r" + std::to_string(number - 20) + "')";
  }
  std::string text = "\"\"\"Change number " + std::to_string(number) + "\n\nRevision ID: " + name +
                     "\n\"\"\"\nfrom alembic import op\nimport sqlalchemy as sa\n\nrevision = '" +
                     name + "'\ndown_revision = " + down +
                     "\nbranch_labels = None\ndepends_on = None\n\n\ndef upgrade():\n";
  for (int column = 0; text.size() < 3000; ++column) {
    text +=
        "    with op.batch_alter_table('accounts', schema=None) as batch_op:\n"
        "        batch_op.add_column(sa.Column('c" +
        std::to_string(column) +
        "', sa.String(length=255), server_default=sa.text(\"'x'::character varying\")))\n";
  }
  return text;
}

void read_and_order_1000_revisions(benchmark::State& state) {
  std::vector<std::string> sources;
  for (int number = 0; number < count; ++number) sources.push_back(source(number));
  for (auto _ : state) {
    std::vector<RevisionFile> files;
    for (const std::string& one : sources) files.push_back(read_revision_file("x.py", one));
    const RevisionGraph graph(std::move(files));
    benchmark::DoNotOptimize(graph.pending({"r10"}).size());
  }
}
BENCHMARK(read_and_order_1000_revisions)->Unit(benchmark::kMillisecond);

}  // namespace
