#!/usr/bin/env python3
"""Waves that are put back: what becomes of it when whoever does that, or a run, is killed or somebody else was
quicker. Run by ctest, one class a test."""
import json
import os
import shlex
import signal
import sqlite3
import subprocess
import unittest

from case import DRYDOCK
from rollout_case import RolloutCase


class RolloutRolledBackMeanwhile(RolloutCase):
    """A run that ended well and was rolled back by hand while nobody looked has upgraded nothing."""

    def test(self):
        process, _ = self.begin()
        self.kill(process)
        for name in "ab":
            self.let_go(name)
            subprocess.run([DRYDOCK, "-C", self.path(name), "attach"], stdout=subprocess.DEVNULL,
                           timeout=60, check=False)
        subprocess.run([DRYDOCK, "-C", self.path("a"), "rollback", "--yes", "--accept-loss"], check=True,
                       stdout=subprocess.DEVNULL, timeout=60)
        self.assertEqual(self.runs_of("a"), ["rolled_back"])
        output = " ".join(self.drydock("rollout", "resume", self.file, code=1).split())
        self.assertIn("1 of 2 environments failed", output)
        self.assertIn("it was rolled back by hand", output)


class RolloutWayBackKilled(RolloutCase):
    """The supervisor dies while a wave is put back: the rollback goes on, and is found again."""
    more = "on_failure: rollback-wave"

    def test(self):
        self.fifo("a/hold")
        process, _ = self.begin()
        self.let_go("a")
        self.read_until(process, "a: done")
        self.let_go("b", "bad")
        hold = os.open(self.path("a/hold"), os.O_WRONLY)  # returns when a's rollback has begun to read
        self.assertIn("a: being rolled back (run 1)", self.drydock("rollout", "status", self.file, code=0))
        self.kill(process)
        os.write(hold, b"go\n")
        os.close(hold)
        os.remove(self.path("a/hold"))  # or a rollback that is begun again would wait for another line
        self.meanwhile()
        output = self.drydock("rollout", "resume", self.file, code=1)
        self.told(output)
        self.assertIn("1 of 2 environments failed in the wave 'both'", " ".join(output.split()))
        self.assertIn("a: rolled back", output)
        for name in "ab":
            self.assertEqual(self.read(f"{name}/data"), "old\n")
            self.assertEqual(self.runs_of(name), ["rolled_back"])
            self.assertEqual(self.read(f"{name}/undone"), "wait\nchange\n")

    def meanwhile(self):
        pass

    def told(self, output):
        self.assertNotIn("notif", output)

    def read_until(self, process, text):
        for line in process.stdout:
            if text in line:
                return
        self.fail(f"it ended without '{text}'")


class RolloutWayBackTells(RolloutWayBackKilled):
    """Whoever goes on with it reads a `notify:` with a secret from the file again."""
    notify = """
notify:
  uses: exec
  with: { command: [/bin/sh, -c, 'echo "$0" >> told', "postgresql://me:hunter2hunter2@db/app"] }
"""
    more = RolloutWayBackKilled.more + notify

    def told(self, output):
        self.assertNotIn("notif", output)
        self.assertEqual(self.read("told"), "postgresql://me:hunter2hunter2@db/app\n")


class RolloutWayBackTellsNobody(RolloutWayBackTells):
    """The secret is gone: that keeps nothing from being put back."""

    def meanwhile(self):
        self.write("rollout.yaml", self.read("rollout.yaml").replace(self.notify, "\n"))

    def told(self, output):
        self.assertIn("nobody is notified: 'notify:' of the rollout 'faulty' holds a secret", output)
        self.assertFalse(os.path.exists(self.path("told")))


class RolloutRollbackLeft(RolloutCase):
    """Who puts a wave back is ended while a rollback works: what is left of it is to be done still, is
    said so, and `rollout resume` does it."""
    parallel = 1

    def leave(self, process):
        process.send_signal(signal.SIGINT)

    def left(self, process):
        self.assertIn("was left while the wave 'both' was being put back; 1 environment of it still to come. Go "
                      "on with: drydock rollout resume", self.ended(process, 4))

    def test(self):
        process = self.start("rollout", "run", self.file, "--yes")
        for name in "ab":
            self.read(f"{name}/begun")
            self.let_go(name)
        self.ended(process, 0)
        self.fifo("b/hold")
        process = self.start("rollout", "rollback", self.file, "--yes", "--accept-loss")
        hold = os.open(self.path("b/hold"), os.O_WRONLY)  # returns when b's rollback has begun to read
        self.assertIn("puts the wave 'both' back", self.drydock("rollout", "status", self.file, code=0))
        self.leave(process)
        os.remove(self.path("b/hold"))  # or a rollback that is begun again would wait for another line
        os.write(hold, b"go\n")
        os.close(hold)
        self.left(process)
        status = self.drydock("rollout", "status", self.file, code=4)
        self.assertIn("was left while the wave 'both' was being put back", status)
        self.assertIn("go on:   drydock rollout resume", status)
        self.assertIn("is being put back; go on with that first",
                      self.drydock("rollout", "resume", self.file, "--retry", "failed", code=2))
        self.assertIn("has not ended; go on with", self.drydock("rollout", "run", self.file, "--yes", code=4))
        self.write("sample.yaml", "# what was there before needs no pipeline\n" + self.pipeline)
        output = self.drydock("rollout", "resume", self.file, code=0)
        self.assertIn("the wave 'both' was put back by", output)
        self.assertIn("2 rolled back", output)
        for name in "ab":
            self.assertEqual(self.read(f"{name}/data"), "old\n")
            self.assertEqual(self.runs_of(name), ["rolled_back"])
            self.assertEqual(self.read(f"{name}/undone"), "wait\nchange\n")
        self.assertIn("has failed: the wave 'both' was put back", self.drydock("rollout", "status", self.file, code=1))


class RolloutRollbackKilled(RolloutRollbackLeft):
    def leave(self, process):
        self.kill(process)

    def left(self, process):
        self.assertEqual(process.returncode, -signal.SIGKILL)


class RolloutsWithOneName(RolloutCase):
    """Two files of a folder with the same name: each shows its own rollout, and the second is not begun."""
    pipeline = 'drydock: 1\nname: quick\nstages: [{ uses: exec, with: { command: ["true"] } }]\n'

    def test(self):
        text = self.read("rollout.yaml")
        self.write("rollout.yaml", text.replace("parallel: 2", "parallel: 2, approve: true"))
        other = self.path("other.yaml")
        self.write("other.yaml", text.replace("name: both", "name: of-other"))
        self.drydock("rollout", "run", self.file, "--yes", "--until", "approval", code=6)
        output = self.drydock("rollout", "run", other, "--yes", "--abandon", code=2)
        self.assertIn("other.yaml: rollout: found 'faulty', which is the name of " + self.file, output)
        self.said_before(other, output, code=2)
        self.assertIn("rollout faulty:", self.drydock("rollout", "plan", self.file, code=0))  # its own is no other's
        # One that has another name by now stands in nobody's way; but what was begun has the name still.
        self.write("rollout.yaml", self.read("rollout.yaml").replace("rollout: faulty", "rollout: mine"))
        output = self.drydock("rollout", "run", other, "--yes", code=4)
        self.assertIn(f"-C {shlex.quote(self.dir)} rollout resume faulty`".replace("'\"'\"'", "'\\''"), output)
        self.said_before(other, output, code=4)
        self.drydock("rollout", "approve", self.file, "--wave", "both", code=0)
        self.assertIn("has passed", self.drydock("rollout", "resume", "faulty", code=0))
        self.assertIn("has passed", self.drydock("rollout", "run", other, "--yes", code=0))
        for file, wave, wrong in ((self.file, "both", "of-other"), (other, "of-other", "both")):
            status = self.drydock("rollout", "status", file, code=0)
            self.assertIn(f"wave {wave}:", status)
            self.assertNotIn(f"wave {wrong}:", status)
        self.assertIn("other.yaml: valid", self.drydock("validate", other, code=0))  # it has the name now
        # Runs of the other one came after its own.
        output = self.drydock("rollout", "rollback", self.file, "--yes", "--accept-loss", code=3)
        self.assertIn("wave both is put back", output)
        self.assertIn("roll back run 2 first", " ".join(output.split()))
        self.assertIn("the wave 'both' was put back by", self.drydock("rollout", "status", self.file, code=3))
        self.assertIn("has passed", self.drydock("rollout", "status", other, code=0))

    def said_before(self, file, refusal, code):
        """By what only looks, which begins nothing and asks nobody."""
        self.assertEqual(self.drydock("validate", file, code=code), refusal)
        self.assertEqual(self.drydock("rollout", "plan", file, code=code), refusal)
        document = json.loads(self.drydock("validate", file, "--json", code=code).rsplit("drydock: ", 1)[0])
        self.assertEqual((document["exit_code"], "drydock: " + document["error"] + "\n"), (code, refusal))


class RolloutNameKeptElsewhere(RolloutCase):
    """A state that somebody may not read takes nothing from the file that is checked."""
    pipeline = RolloutsWithOneName.pipeline
    nobody = 65534

    def test(self):
        if os.geteuid() != 0:
            self.skipTest("a folder can be another user's for root alone")
        self.drydock("rollout", "run", self.file, "--yes", code=0)
        os.chmod(self.dir, 0o755)
        output = self.drydock("validate", self.file, code=0, user=self.nobody, group=self.nobody, extra_groups=[],
                              env={**os.environ, "HOME": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent"})
        self.assertIn("whether another file has the name 'faulty' is not known: ", output)
        self.assertIn("rollout.yaml: valid", output)
        output = self.drydock("rollout", "status", self.file, code=2, user=self.nobody, group=self.nobody,
                              extra_groups=[])
        self.assertIn("cannot be opened (Permission denied)", output)


# Upgrades fail where there is a file `broken`, and rollbacks where there is a file `bad`.
BREAKABLE = """
drydock: 1
name: breakable
stages:
  - id: change
    uses: exec
    with:
      command: [/bin/sh, -c, "echo new > data; test ! -e broken"]
      rollback: [/bin/sh, -c, "test ! -e bad && echo old > data"]
      observe: [/bin/cat, data]
"""


class RolloutNotPutBack(RolloutCase):
    """An environment whose rollback fails stays to be put back: earlier waves are not put back under it, and
    both `rollout resume` and `rollout rollback` do it again, also once it was done by hand."""
    pipeline = BREAKABLE

    def setUp(self):
        super().setUp()
        self.write("rollout.yaml", """
drydock: 1
rollout: faulty
pipeline: sample.yaml
environments: { a: { dir: a }, b: { dir: b } }
waves:
  - { name: one, environments: [a] }
  - { name: two, environments: [b] }
""")
        self.drydock("rollout", "run", self.file, "--yes", code=0)

    def put_back(self, *arguments, code):
        return self.drydock("rollout", "rollback", self.file, "--yes", "--accept-loss", *arguments, code=code)

    def test(self):
        self.write("b/bad", "")
        output = self.put_back(code=3)
        self.assertIn("b: not put back, and a person is needed (run 1): ", output)
        self.assertIn("Not put back: b\n", output)
        self.assertIn("Then:    drydock rollout resume ", output)
        self.assertNotIn("--retry failed", output)  # which would upgrade it once more
        status = self.drydock("rollout", "status", self.file, code=3)
        self.assertIn("wave two: 0 done, 1 not put back", status)
        document = json.loads(self.drydock("rollout", "status", self.file, "--json", code=3))
        b = document["waves"][1]["environments"][0]
        self.assertEqual((b["state"], b["exit_code"]), ("not_put_back", 3))
        seen = sqlite3.connect(self.path(".drydock/rollouts.db")).execute(
            "SELECT state, exit_code FROM drydock_environments WHERE environment = 'b'").fetchall()
        self.assertEqual(seen, [("not_put_back", 3)])
        output = self.put_back("--wave", "one", code=2)
        self.assertIn("1 environment of it is not put back", output)
        self.assertIn(" --abandon --env ENVIRONMENT --comment WHY`", output)
        self.assertIn("b: not put back", self.put_back(code=3))  # wave two again
        self.assertIn("go on with that first, without --retry",
                      self.drydock("rollout", "resume", self.file, "--retry", "failed", code=2))
        self.assertEqual([self.read(f"{name}/data") for name in "ab"], ["new\n", "new\n"])
        os.remove(self.path("b/bad"))
        self.mend()
        self.assertEqual([self.read(f"{name}/data") for name in "ab"], ["new\n", "old\n"])
        self.assertIn("wave two: 0 done, 1 rolled back", self.drydock("rollout", "status", self.file, code=1))
        self.put_back(code=0)
        self.assertEqual(self.read("a/data"), "old\n")
        self.drydock("rollout", "run", self.file, "--yes", code=0)  # no drift

    def mend(self):
        self.assertIn("b: rolled back", self.drydock("rollout", "resume", self.file, code=0))


class RolloutPutBackByHand(RolloutNotPutBack):
    def mend(self):
        self.drydock("-C", self.path("b"), "rollback", "1", "--yes", "--accept-loss", code=0)
        self.assertIn("b: rolled back", self.put_back("--wave", "two", code=0))


class RolloutEnvironmentGivenUp(RolloutNotPutBack):
    """A person puts back what cannot be: it is in nobody's way any more, and everybody is told so."""

    def give_up(self, *arguments, code):
        return self.drydock("rollout", "rollback", self.file, *arguments, code=code)

    def test(self):
        self.assertIn("--env: found 'b' (done), allowed: an environment that is to be put back (there is none)",
                      self.give_up("--abandon", "--env", "b", "--comment", "why", code=2))
        self.write("b/bad", "")
        self.put_back(code=3)
        for words, refusal in (
                (("--abandon",), "found --abandon without --env, allowed: --abandon --env ENVIRONMENT --comment WHY"),
                (("--abandon", "--env", "b"), "found --abandon without --comment"),
                (("--env", "b"), "found --env without --abandon"),
                (("--comment", "why"), "found --comment without --abandon"),
                (("--abandon", "--env", "b", "--comment", "why", "--wave", "two"), "found both --abandon and --wave"),
                (("--abandon", "--env", "c", "--comment", "why"), "--env: found 'c' (none of this rollout), allowed: "
                 "an environment that is to be put back (b)")):
            self.assertIn(refusal, self.give_up(*words, code=2))
        output = self.give_up("--abandon", "--env", "b", "--comment", "its disk is dead", code=0)
        self.assertIn("b of faulty is given up, and yours to put back; see: drydock -C ", output)
        self.assertNotIn("Go on", output)
        status = self.drydock("rollout", "status", self.file, code=3)
        self.assertIn("wave two: 0 done, 1 given up", status)
        self.assertIn("b: given up (run 1): by ", status)
        self.assertIn(": its disk is dead", status)
        document = json.loads(self.drydock("rollout", "status", self.file, "--json", code=3))
        self.assertEqual(document["waves"][1]["environments"][0]["state"], "abandoned")
        self.assertIn("retry what failed with --retry failed",
                      self.drydock("rollout", "resume", self.file, code=2))
        self.assertIn("Given up:    b\n", self.put_back(code=0))  # the wave before it
        self.assertEqual([self.read(f"{name}/data") for name in "ab"], ["old\n", "new\n"])
        # It is as a person has left it, and begins once more with the others.
        os.remove(self.path("b/bad"))
        self.drydock("-C", self.path("b"), "rollback", "1", "--yes", "--accept-loss", code=0)
        self.assertIn("passed: 2 done", self.drydock("rollout", "resume", self.file, "--retry", "failed", code=0))


class RolloutOthersFailed(RolloutCase):
    """What failed in another wave is no matter of a wave that was put back; it needs a person as before."""
    pipeline = BREAKABLE

    def test(self):
        os.mkdir(self.path("c"))
        self.write("c/data", "old\n")
        self.write("rollout.yaml", """
drydock: 1
rollout: faulty
pipeline: sample.yaml
environments: { a: { dir: a }, b: { dir: b }, c: { dir: c } }
waves:
  - { name: one, environments: [a, b], max_failures: 1 }
  - { name: two, environments: [c] }
""")
        self.write("a/broken", "")
        self.write("a/bad", "")
        self.drydock("rollout", "run", self.file, "--yes", code=3)
        for wave, name in (("two", "c"), ("one", "b")):
            output = self.drydock("rollout", "rollback", self.file, "--yes", "--accept-loss", code=0)
            self.assertIn(f"the wave '{wave}' was put back", " ".join(output.split()))
            self.assertEqual(self.read(f"{name}/data"), "old\n")
            self.drydock("rollout", "status", self.file, code=3)


if __name__ == "__main__":
    unittest.main()
