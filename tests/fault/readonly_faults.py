#!/usr/bin/env python3
"""A deployment whose file system is read-only, from the start or in the middle of a run.

A mount of its own, in a mount namespace of the test: root writes wherever a mode forbids it.
"""
import ctypes
import os
import subprocess
import sys
import tempfile
import unittest

from case import Case

CLONE_NEWNS = 0x00020000


def mount(*words):
    return subprocess.run(["mount", *words], capture_output=True, text=True)


class ReadOnlyCase(Case):
    def setUp(self):
        super().setUp()
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
            self.skipTest(f"no mount namespace can be made ({os.strerror(ctypes.get_errno())})")
        made = mount("--make-rprivate", "/")
        made = made if made.returncode else mount("--bind", self.dir, self.dir)
        if made.returncode != 0:
            self.skipTest(f"a folder cannot be mounted again ({made.stderr.strip()})")
        self.addCleanup(subprocess.run, ["umount", self.dir])

    def make(self, access):
        done = mount("-o", f"remount,bind,{access}", self.dir)
        self.assertEqual(done.returncode, 0, done.stderr)

    def files(self):
        found = {}
        for folder, _, files in os.walk(self.dir):
            for name in files:
                path = os.path.join(folder, name)
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        found[path] = file.read()
                else:
                    found[path] = "special"
        return found

    def refused(self, *arguments, words):
        """One sentence with the reason and a remedy."""
        output = self.drydock(*arguments, code=2)
        self.assertEqual(output.count("\n"), 1, output)
        for word in words:
            self.assertIn(word, output)

    def one_run(self):
        process, _ = self.start_and_wait_for_the_second_stage()
        self.let_go_on()
        output = process.stdout.read()
        self.assertEqual(process.wait(), 0, output)


class ReadOnlyFromTheStart(ReadOnlyCase):
    WORDS = ("/.drydock", "Read-only file system", "disk is full or read-only")

    def test(self):
        self.make("ro")
        before = self.files()
        self.refused("init", words=self.WORDS)
        self.refused("run", "--yes", words=self.WORDS)
        self.refused("run", "--yes", "--detach", words=self.WORDS)
        self.refused("rollback", "--yes", words=["nothing was ever run"])
        self.assertIn("2 to run", self.drydock("plan", code=0))
        self.assertIn("nothing was ever run", self.drydock("status", code=0))
        self.assertIn("nothing was ever run", self.drydock("history", code=0))
        self.assertEqual(self.files(), before)


class ReadOnlySinceARun(ReadOnlyCase):
    """What was done can still be looked at; what would write says why it does not."""

    def test(self):
        self.one_run()
        self.make("ro")
        before = self.files()
        for words in (["init"], ["run", "--yes"], ["rollback", "--yes", "--accept-loss"],
                      ["resume", "--yes"], ["history", "--prune", "--yes"]):
            self.refused(*words, words=["/.drydock", "Read-only file system", "disk is writable"])
        self.assertIn("2 to run", self.drydock("plan", code=0))
        for command in ("status", "history", "show"):
            self.assertIn("done", self.drydock(command, code=0))
        self.assertIn("wait: done", self.drydock("logs", code=0))
        self.assertIn("put back", self.drydock("plan", "--rollback", code=0))
        self.assertEqual(self.files(), before)
        self.make("rw")
        self.drydock("rollback", "--yes", "--accept-loss", code=0)
        self.assertEqual(self.read("data"), "old\n")


class ReadOnlyAfterAKill(ReadOnlyCase):
    """What was interrupted is told although nothing can be done about it now."""

    def test(self):
        process, pid = self.start_and_wait_for_the_second_stage()
        self.kill(process)
        self.assert_gone(pid)
        self.make("ro")
        for command, code in (("status", 4), ("plan", 0)):
            self.assertIn("interrupted in stage 'wait'", self.drydock(command, code=code))
        self.refused("rollback", "--yes", words=["/.drydock/lock", "Read-only file system"])
        self.assertEqual(self.read("data"), "new\n")
        self.make("rw")
        self.drydock("rollback", "--yes", code=0)
        self.assertEqual(self.read("data"), "old\n")


class ReadOnlyWhileItRuns(ReadOnlyCase):
    """Whoever looks through a mount that is read-only does not take a run for an interrupted one."""

    def test(self):
        outside = tempfile.TemporaryDirectory(prefix="drydock-fault-view-")
        self.addCleanup(outside.cleanup)
        self.assertEqual(mount("--bind", self.dir, outside.name).returncode, 0)
        self.addCleanup(subprocess.run, ["umount", outside.name])
        process, _ = self.start_and_wait_for_the_second_stage()
        mount("-o", "remount,bind,ro", outside.name)
        whole, self.dir = self.dir, outside.name
        for command in ("status", "history"):
            self.assertIn("running", self.drydock(command, code=0))
        self.dir = whole
        self.let_go_on()
        output = process.stdout.read()
        self.assertEqual(process.wait(), 0, output)


class ReadOnlyInTheMiddle(ReadOnlyCase):
    """The journal is on another file system, for a file that is open keeps the kernel from this."""

    def test(self):
        beside = tempfile.TemporaryDirectory(prefix="drydock-fault-state-")
        self.addCleanup(beside.cleanup)
        state = ["--state-dir", beside.name]
        self.write("drydock.yaml", self.read("drydock.yaml").replace(
            "read line < go", "read line < go; echo later > later"))
        process = self.start("run", "--yes", *state)
        self.read("begun")
        self.make("ro")
        self.let_go_on()
        output = process.stdout.read()
        self.assertEqual(process.wait(), 3, output)
        self.assertIn("Read-only file system", output)
        self.assertIn("change: rollback failed", output)
        self.assertIn("rollback 1", self.drydock("status", *state, code=3))
        self.assertIn("Read-only", self.drydock("rollback", "--yes", *state, code=3))
        self.assertEqual(self.read("data"), "new\n")
        self.make("rw")
        self.drydock("rollback", "--yes", *state, code=0)
        self.assertEqual(self.read("data"), "old\n")
        self.assertFalse(os.path.exists(self.path("later")))
        self.drydock("status", *state, code=0)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "--verbose", *sys.argv[1:]])
