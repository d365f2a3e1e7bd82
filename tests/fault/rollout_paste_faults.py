#!/usr/bin/env python3
"""The commands that a rollout prints: each is pasted into a shell in another folder, as it stands, and is about the
same rollout in the same state. Run by ctest, one class a test."""
import os
import signal
import subprocess
import unittest

from case import DRYDOCK
from rollout_case import RolloutCase
from shared_state_faults import PASSWORD, SharedCase

QUICK = 'drydock: 1\nname: quick\nstages: [{ uses: exec, with: { command: ["true"], rollback: ["true"] } }]\n'


class Pasting:
    """Of a Case: the file says who waits for what, the printed lines say how it goes on."""
    environment = os.environ

    def said(self, *words, code):
        done = subprocess.run([DRYDOCK, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT, timeout=60, cwd=self.dir, env=self.environment)
        self.assertEqual(done.returncode, code, done.stdout)
        self.assertNotIn(PASSWORD, done.stdout)
        return done.stdout

    def paste(self, output, before, code, more="", after="\n"):
        """What stands behind `before` in the output, as a person would copy it."""
        self.assertIn(before, output)
        line = output.split(before, 1)[1].split(after, 1)[0]
        path = os.path.dirname(DRYDOCK) + ":" + self.environment["PATH"]
        done = subprocess.run(["/bin/sh", "-c", line + more], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              text=True, stderr=subprocess.STDOUT, timeout=60, cwd="/",
                              env={**self.environment, "PATH": path})
        self.assertEqual(done.returncode, code, line + "\n" + done.stdout)
        self.assertNotIn(PASSWORD, done.stdout)
        return done.stdout

    def goes_on(self, file, *state):
        """With two waves, of which each waits for approval."""
        output = self.said("rollout", "run", file, "--yes", "--until", "approval", *state, code=6)
        output = self.paste(output, "waits for approval: ", 0)
        self.assertIn("is approved", output)
        output = self.paste(output, "go on with: ", 6, " --until approval")
        self.assertIn("not ended", self.said("rollout", "run", file, "--yes", *state, code=4))
        refusal = self.said("rollout", "run", file, "--yes", *state, code=4)
        output = self.paste(refusal, "go on with `", 6, " --until approval", after="`")
        status = self.said("rollout", "status", file, *state, code=6)
        self.paste(status, "approve: ", 0)
        self.assertIn("has passed", self.paste(status, "go on:   ", 0))
        output = self.said("rollout", "rollback", file, "--yes", "--accept-loss", "--wave", "one", *state, code=2)
        self.paste(output, "put that back first with `", 0, " --yes --accept-loss", after="`")
        output = self.said("rollout", "resume", file, *state, code=2)
        output = self.paste(output, "begin a new one with `", 6, " --yes --until approval", after="`")
        output = self.paste(output, "Approve: ", 0)


class RolloutCommandsArePasted(Pasting, RolloutCase):
    """With a state somewhere else, and stages that only a folder of plugins has."""
    pipeline = QUICK
    state = ("--state-dir", "its $state", "--plugin-dir", "plug ins")

    def setUp(self):
        super().setUp()
        os.mkdir(self.path("plug ins"))
        self.write("rollout.yaml", self.read("rollout.yaml").split("waves:")[0] + """
waves:
  - { name: one, environments: [a], approve: true }
  - { name: two, environments: [b], approve: true }
""")

    def test(self):
        self.goes_on("rollout.yaml", *self.state)
        self.assertFalse(os.path.exists(self.path(".drydock")))
        # One that has been moved is found by its name, and a new one begins with a file.
        self.said("rollout", "resume", "rollout.yaml", "--until", "approval", *self.state, code=6)
        os.rename(self.path("rollout.yaml"), self.path("moved.yaml"))
        refusal = self.said("rollout", "run", "moved.yaml", "--yes", *self.state, code=4)
        self.paste(refusal, "go on with `", 6, " --until approval", after="`")
        output = self.said("rollout", "status", "nothing.yaml", *self.state, code=2)
        self.assertIn("begin it with `drydock rollout run FILE --state-dir ", output)


class RolloutLeftIsPasted(Pasting, RolloutCase):
    """The sentences of a rollout that was left."""
    state = ("--state-dir", "its $state")

    def test(self):
        process = self.start("rollout", "run", self.file, "--yes", *self.state, cwd=self.dir)
        for name in "ab":
            self.read(f"{name}/begun")
        refusal = self.said("rollout", "resume", self.file, *self.state, code=4)
        self.assertIn("runs in the wave 'both'", self.paste(refusal, "; `", 0, after="`"))
        process.send_signal(signal.SIGINT)
        output = self.ended(process, 4)
        for name in "ab":
            self.let_go(name)
        self.assertIn("has passed", self.paste(output, "Go on with: ", 0))


class SharedStateIsPasted(Pasting, SharedCase):
    """A URL without a password, which comes from the environment."""

    def test(self):
        self.environment = {**os.environ, "PGPASSWORD": PASSWORD}
        self.write("sample.yaml", QUICK)
        text = self.read("one/rollout.yaml").replace("[a]", "[a], approve: true").replace("[b]", "[b], approve: true")
        self.write("one/rollout.yaml", text.replace("first", "one").replace("second", "two"))
        url = f"postgresql://app@/postgres?host={self.server.folder}"
        self.goes_on("one/rollout.yaml", "--state", url)
        # Another machine, on which that file is not there.
        os.rename(self.path("one"), self.path("away"))
        self.said("-C", self.path("two"), "rollout", "resume", "faulty", "--until", "approval", "--state", url, code=6)
        status = self.said("-C", self.path("two"), "rollout", "status", "faulty", "--state", url, code=6)
        self.paste(status, "approve: ", 0)
        for url in (self.server.url, f"postgresql://app@/postgres?host=/x&%70assword={PASSWORD}"):
            self.assertIn("found a URL with a password", self.said("rollout", "history", "--state", url, code=2))


if __name__ == "__main__":
    unittest.main()
