"""A rollout of two environments whose stages say through FIFOs that they have begun, and wait on others."""
import os
import shutil
import sqlite3
import time

from case import PIPELINE, Case

ROLLOUT = """
drydock: 1
rollout: faulty
pipeline: sample.yaml
environments:
  a: {{ dir: a }}
  b: {{ dir: b }}
waves:
  - {{ name: both, environments: all, parallel: {parallel} }}
{more}
"""


class RolloutCase(Case):
    pipeline = PIPELINE.replace("read line < go", 'read line < go; test \\"$line\\" != bad')
    more = ""
    parallel = 2

    def setUp(self):
        super().setUp()
        self.write("sample.yaml", self.pipeline)
        self.write("rollout.yaml", ROLLOUT.format(more=self.more, parallel=self.parallel))
        self.file = self.path("rollout.yaml")
        for name in "ab":
            os.mkdir(self.path(name))
            self.write(f"{name}/data", "old\n")
            self.fifo(f"{name}/begun")
            self.fifo(f"{name}/go")

    def begin(self):
        """Both environments are in their second stage; the pids of these."""
        process = self.start("rollout", "run", self.file, "--yes")
        return process, [int(self.read(f"{name}/begun")) for name in "ab"]

    def until_numbered(self, count=2):
        """The rollout knows the runs of so many environments, and not only that they were ordered."""
        until = time.monotonic() + 60
        state = sqlite3.connect(self.path(".drydock/rollouts.db"), timeout=60)
        try:
            while state.execute("SELECT count(*) FROM rollout_targets WHERE run > 0").fetchone() != (count,):
                self.assertLess(time.monotonic(), until, "the rollout does not learn its runs")
        finally:
            state.close()

    def let_go(self, name, line="go"):
        with open(self.path(f"{name}/go"), "w", encoding="utf-8") as go:
            go.write(line + "\n")

    def runs_of(self, name):
        journal = sqlite3.connect(self.path(f"{name}/.drydock/journal.db"))
        try:
            return [state for (state,) in journal.execute("SELECT state FROM runs ORDER BY id")]
        finally:
            journal.close()

    def assert_alive(self, pid):
        os.kill(pid, 0)

    def ended(self, process, code):
        output = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, code, output)
        return output


def lose_the_rest(log):
    """Whoever writes it goes on to write another file, that has no name."""
    shutil.copyfile(log, log + ".copy")
    os.replace(log + ".copy", log)


def command_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:  # it has ended
        return b""


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
        return [int(child) for child in file.read().split()]


def parent_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return int(file.read().rsplit(")", 1)[1].split()[1])
