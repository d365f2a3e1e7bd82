#!/usr/bin/env python3
"""SIGKILL of `history --prune`, and of the upgrade of a journal, at every call that changes a file.

EVERY says which of these calls are tried: every one, or each so manieth.
"""
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest

from case import DRYDOCK, Case
from matrix import Control

PIPELINE = """
drydock: 1
name: small
vars: { with: { default: /bin/true } }
stages:
  - uses: exec
    with:
      command: [/bin/sh, -c, "echo $DRYDOCK_RUN > data"]
      rollback: [/bin/sh, -c, "echo old > data"]
  - uses: exec
    with: { command: [ "${{ vars.with }}" ] }
"""
EVERY = int(os.environ.get("EVERY", "1"))
PRUNE = ["history", "--prune", "--yes", "--keep", "1"]


class KilledCase(Case):
    """Five finished runs, the last of them rolled back."""

    def setUp(self):
        super().setUp()
        beside = tempfile.TemporaryDirectory(prefix="drydock-fault-kept-")
        self.addCleanup(beside.cleanup)
        self.kept = os.path.join(beside.name, "deployment")
        self.control = Control(pathlib.Path(beside.name, "control"))
        self.environment = {**os.environ, "LD_PRELOAD": os.environ["FAULT_SHIM"],
                            "DRYDOCK_FAULT": str(self.control.path)}
        self.write("drydock.yaml", PIPELINE)
        self.write(".env", "A=1\n")
        for _ in range(4):
            self.drydock("run", "--yes", code=0)
        self.drydock("run", "--yes", "--var", "with=/bin/false", code=1)
        shutil.copytree(self.path(".drydock"), self.kept)

    def history(self):
        return json.loads(self.drydock("history", "--json", code=0))

    def tree(self):
        """What runs have kept; the journal and the lock are looked at in their own way."""
        state = pathlib.Path(self.path(".drydock"))
        return {str(path.relative_to(state)): path.read_bytes()
                for path in state.rglob("*") if path.is_file() and path.parent != state}

    def faulty(self, command, fault, at):
        shutil.rmtree(self.path(".drydock"))
        shutil.copytree(self.kept, self.path(".drydock"))
        self.control.arm(self.dir, os.path.basename(command[0]), fault, at)
        return subprocess.run(command, env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)

    def killed_everywhere(self, command, judge):
        """Calls `judge` after each SIGKILL: instead of a call, or in the middle of a write."""
        ended = self.faulty(command, None, 0)
        self.assertEqual(ended.returncode, 0, ended.stdout)
        state = self.control.state()
        self.assertGreater(state["calls"], 20)
        cases = [(fault, at) for at in range(1, state["calls"] + 1) for fault in ("kill", "torn")
                 if fault == "kill" or state["can_be_torn"][at - 1]]
        for fault, at in cases[::EVERY]:
            with self.subTest(fault, at=at):
                ended = self.faulty(command, fault, at)
                self.assertEqual(ended.returncode, -signal.SIGKILL, ended.stdout)
                judge()


class KilledPrune(KilledCase):
    def test(self):
        everything, runs = self.tree(), self.history()
        self.drydock(*PRUNE, code=0)
        needed, stay = self.tree(), self.history()
        self.assertEqual([run["run"] for run in stay], [5, 4])
        self.assertLess(len(needed), len(everything))

        def judge():
            left, found = self.history(), self.tree()
            self.assertIn(left, (runs, stay))
            for path, content in (everything if left == runs else needed).items():
                self.assertEqual(found.get(path), content, path)
            self.drydock("status", code=0)
            self.drydock("show", "4", code=0)
            self.drydock(*PRUNE, code=0)  # which finishes it
            self.assertEqual(self.tree(), needed)
            self.assertEqual(self.history(), stay)
            self.drydock("rollback", "4", "--yes", "--accept-loss", code=0)
            self.assertEqual(self.read("data"), "old\n")

        self.killed_everywhere([DRYDOCK, "-C", self.dir, *PRUNE], judge)


class KilledUpgrade(KilledCase):
    def test(self):
        journal, copy = self.path(".drydock/journal.db"), self.path(".drydock/journal.v2.db")
        upgrade = [os.environ["JOURNAL_UPGRADE"], journal]
        runs = self.history()

        def version(path):
            connection = sqlite3.connect(path)
            self.assertEqual(connection.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            found = connection.execute("PRAGMA user_version").fetchone()[0]
            connection.close()
            return found

        def judge():
            before = version(journal)
            self.assertIn(before, (2, 3))
            if os.path.exists(copy) or before == 3:
                self.assertEqual(version(copy), 2)
            if before == 2:
                self.assertEqual(self.history(), runs)
                self.drydock("status", code=0)
            again = subprocess.run(upgrade, capture_output=True, text=True, timeout=60)
            self.assertEqual((again.returncode, again.stderr), (0, ""))
            self.assertEqual((version(journal), version(copy)), (3, 2))
            self.assertFalse(os.path.exists(copy + ".new"))
            self.assertIn("schema version 3", self.drydock("history", code=2))
            connection = sqlite3.connect(journal, isolation_level=None)
            self.assertEqual(connection.execute("SELECT DISTINCT colour FROM runs").fetchall(),
                             [("blue",)])
            connection.execute("PRAGMA user_version=2")
            connection.close()
            self.assertEqual(self.history(), runs)
            self.drydock("rollback", "4", "--yes", "--accept-loss", code=0)

        self.killed_everywhere(upgrade, judge)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "--verbose", *sys.argv[1:]])
