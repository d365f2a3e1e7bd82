#!/usr/bin/env python3
"""The machine of a rollout runs out of files or of disk. Run by ctest, one class a test."""
import os
import resource
import subprocess
import unittest

from case import Case
from rollout_case import RolloutCase


class RolloutFewOpenFiles(Case):
    """Far fewer files than all of its environments at once would need: those that cannot be begun wait for
    others to end. Each has the limit that the rollout was called with."""
    limits = (64, 64)
    count = 24

    def setUp(self):
        super().setUp()
        self.write("sample.yaml", """
drydock: 1
name: quick
stages:
  - { uses: exec, with: { shell: true, command: "ulimit -Sn > made" } }
""")
        names = [f"e{i}" for i in range(self.count)]
        for name in names:
            os.mkdir(self.path(name))
        self.write("rollout.yaml", "drydock: 1\nrollout: many\npipeline: sample.yaml\nenvironments:\n"
                   + "".join(f"  {name}: {{ dir: {name} }}\n" for name in names)
                   + f"waves: [{{ name: all, environments: all, parallel: {self.count} }}]\n")

    def test(self):
        output = self.drydock(
            "rollout", "run", self.path("rollout.yaml"), "--yes", code=0,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, self.limits))
        self.assertIn(f"has passed: {self.count} done", output)
        for i in range(self.count):
            self.assertEqual(self.read(f"e{i}/made"), f"{self.limits[0]}\n")


class RolloutMayHaveMoreFiles(RolloutFewOpenFiles):
    """The supervisor takes what it may have, and its runs do not get it."""
    limits = (64, 4096)


class RolloutNoFilesAtAll(RolloutFewOpenFiles):
    """Not one can be asked: nothing is begun."""
    count = 2

    def test(self):
        output = self.drydock("rollout", "run", self.path("rollout.yaml"), "--yes", code=2,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20)))
        self.assertIn("(Too many open files); raise the limits (`ulimit -n`, `ulimit -u`), or lower 'parallel:'",
                      output)
        self.assertIn("nothing was started", output)


class RolloutNoFilesLeft(RolloutCase):
    """Not one can be followed: that is this machine's failure, and none of an environment."""

    def test(self):
        process, pids = self.begin()
        self.kill(process)
        output = " ".join(self.drydock(
            "rollout", "resume", self.file, code=3,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))).split())
        self.assertIn("(Too many open files); raise the limits", output)
        self.assertIn("a, b go on by themselves. Go on with: drydock rollout resume", output)
        for pid in pids:
            self.assert_alive(pid)
        again = self.start("rollout", "resume", self.file)
        for name in "ab":
            self.let_go(name)
        self.assertIn("has passed: 2 done", self.ended(again, 0))


class RolloutCannotKeepItsLogs(RolloutCase):
    """What stands in the way is here: the runs go on, are named, and are found again."""
    parallel = 1

    def test(self):
        logs = self.path(".drydock/rollouts/faulty/logs")
        os.makedirs(os.path.dirname(logs), mode=0o700)
        self.write(".drydock/rollouts/faulty/logs", "in the way\n")
        process = self.start("rollout", "run", self.file, "--yes")
        pid = int(self.read("a/begun"))
        output = " ".join(self.ended(process, 3).split())
        self.assertIn("a goes on by itself. Go on with: drydock rollout resume", output)
        self.assert_alive(pid)
        os.remove(logs)
        again = self.start("rollout", "resume", self.file)
        self.let_go("a")
        self.read("b/begun")
        self.let_go("b")
        self.ended(again, 0)


class RolloutDiskFull(RolloutCase):
    """This machine's disk is full: no environment has failed, all go on, and once there is room their logs
    are whole."""
    pipeline = RolloutCase.pipeline.replace("stages:", """stages:
  - { uses: exec, with: { command: [/bin/sh, -c, "i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo line $i of a long log; done"] } }""")

    def test(self):
        if os.geteuid() != 0:
            self.skipTest("a file system of its own needs root")
        logs = self.path(".drydock/rollouts/faulty/logs")
        os.makedirs(logs, mode=0o700)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k,mode=0700", "tmpfs", logs],
                                 stderr=subprocess.PIPE, text=True, check=False)
        if mounted.returncode != 0:
            self.skipTest(f"nothing can be mounted here ({mounted.stderr.strip()})")
        self.addCleanup(subprocess.run, ["umount", "-l", logs], check=True)
        process = self.start("rollout", "run", self.file, "--yes")
        output = " ".join(self.ended(process, 3).split())
        self.assertIn("of the events of a run cannot be written (No space left on device); make room", output)
        self.assertIn("a, b go on by themselves", output)
        self.drydock("rollout", "status", self.file, code=4)
        subprocess.run(["mount", "-o", "remount,size=1m", logs], check=True)
        again = self.start("rollout", "resume", self.file)
        for name in "ab":
            self.read(f"{name}/begun")
            self.let_go(name)
        self.ended(again, 0)
        for name in "ab":
            with open(f"{logs}/1/{name}/1/events.jsonl", "rb") as copy:
                with open(self.path(f"{name}/.drydock/logs/1/events.jsonl"), "rb") as log:
                    self.assertEqual(copy.read(), log.read())


if __name__ == "__main__":
    unittest.main()
