#!/usr/bin/env python3
"""What becomes of a rollout when whoever carries it out, or a run of it, is killed. Run by ctest, one class a
test."""
import json
import os
import shlex
import shutil
import signal
import sqlite3
import subprocess
import unittest

from case import DRYDOCK
from rollout_case import RolloutCase, command_of, lose_the_rest, parent_of


class RolloutSupervisorKilled(RolloutCase):
    def test(self):
        process, pids = self.begin()
        self.kill(process)
        for pid in pids:
            self.assert_alive(pid)
        self.assertIn("left in the wave 'both'", self.drydock("rollout", "status", self.file, code=4))
        self.assertIn("rollout resume", self.drydock("rollout", "run", self.file, "--yes", code=4))
        again = self.start("rollout", "resume", self.file)
        for name in "ab":
            self.let_go(name)
        output = self.ended(again, 0)
        self.assertEqual(output.count("found again"), 2, output)
        self.assertNotIn("has been changed", output)
        for name in "ab":
            self.assertEqual(self.read(f"{name}/data"), "new\n")
            self.assertEqual(self.runs_of(name), ["done"])


class RolloutRunsEndMeanwhile(RolloutCase):
    """One ends well and one fails while nobody looks: both ends are read from what they left."""

    def test(self):
        process, _ = self.begin()
        self.kill(process)
        self.let_go("a")
        self.let_go("b", "bad")
        for name, code in (("a", 0), ("b", 1)):
            subprocess.run([DRYDOCK, "-C", self.path(name), "attach"], stdout=subprocess.DEVNULL,
                           timeout=60, check=False)
            self.assertEqual(len(self.runs_of(name)), 1, code)
        output = self.drydock("rollout", "resume", self.file, code=1)
        self.assertIn("1 of 2 environments failed", output)
        self.assertEqual(self.runs_of("b"), ["rolled_back"])
        self.assertEqual(self.read("b/data"), "old\n")


class RolloutLeftBySignal(RolloutCase):
    def test(self):
        process, pids = self.begin()
        process.send_signal(signal.SIGINT)
        self.assertIn("a, b go on by themselves", self.ended(process, 4))
        for pid in pids:
            self.assert_alive(pid)
        again = self.start("rollout", "resume", self.file)
        for name in "ab":
            self.let_go(name)
        self.ended(again, 0)


class RolloutLeftWithSudo(RolloutCase):
    """A user's supervisor cannot kill what sudo has made root's: it does not wait for that, and what
    follows the runs ends by itself."""
    nobody = 65534

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("sudo's place can be taken by root alone")
        self.write("rollout.yaml", self.read("rollout.yaml").replace("environments:", "defaults: { sudo: true }\nenvironments:", 1))
        # As sudo does: all of the user's ids are root's then.
        os.mkdir(self.path("bin"))
        shutil.copy(shutil.which("setpriv"), self.path("bin/becomes-root"))
        os.chmod(self.path("bin/becomes-root"), 0o4755)
        self.write("bin/sudo", """#!/bin/sh
[ "$1 $2" = "-n --" ] || exit 9
shift 2
exec "${0%/*}/becomes-root" --reuid 0 --regid 0 --clear-groups -- "$@"
""")
        os.chmod(self.path("bin/sudo"), 0o755)
        os.chmod(self.dir, 0o755)
        os.mkdir(self.path("home"))
        for name in (".", "home", "rollout.yaml", "sample.yaml"):
            os.chown(self.path(name), self.nobody, self.nobody)
        self.environment = {**os.environ, "PATH": self.path("bin") + ":" + os.environ["PATH"],
                            "HOME": self.path("home"), "XDG_CACHE_HOME": self.path("home")}
        self.environment.pop("XDG_RUNTIME_DIR", None)
        if self.as_nobody("sudo", "-n", "--", "id", "-u").communicate()[0] != "0\n":
            self.skipTest("a file here makes nobody root")

    def as_nobody(self, *words):
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                   stderr=subprocess.STDOUT, env=self.environment, cwd=self.dir,
                                   user=self.nobody, group=self.nobody, extra_groups=[])
        self.addCleanup(lambda: (process.kill(), process.wait(), process.stdout.close()))
        return process

    def followers(self):
        return [pid for pid in os.listdir("/proc") if pid.isdigit()
                and self.dir.encode() in command_of(pid) and b"--follow" in command_of(pid)
                and b"becomes-root" not in command_of(pid)]

    def test(self):
        process = self.as_nobody(DRYDOCK, "rollout", "run", self.file, "--yes")
        pids = [int(self.read(f"{name}/begun")) for name in "ab"]
        for _ in "ab":
            for line in process.stdout:
                if "started" in line:
                    break
        process.send_signal(signal.SIGINT)
        self.assertIn("a, b go on by themselves", " ".join(self.ended(process, 4).split()))
        for pid in self.followers():
            self.assert_gone(int(pid))
        for pid in pids:
            self.assert_alive(pid)
        again = self.as_nobody(DRYDOCK, "rollout", "resume", self.file)
        for name in "ab":
            self.let_go(name)
        self.ended(again, 0)


class RolloutTwoSupervisors(RolloutCase):
    def test(self):
        process, _ = self.begin()
        for action in (("run", "--yes"), ("resume",)):
            output = self.drydock("rollout", action[0], self.file, *action[1:], code=4)
            self.assertIn(f"process {process.pid} of", output)
        for name in "ab":
            self.let_go(name)
        self.ended(process, 0)


class RolloutRunnerKilled(RolloutCase):
    """The runner of one environment dies: that one needs a person, by name."""

    def test(self):
        process, pids = self.begin()
        worker = parent_of(pids[0])
        os.kill(parent_of(worker), signal.SIGKILL)
        self.let_go("b")
        output = self.ended(process, 3)
        self.assertIn("run 1 ended without having told how", " ".join(output.split()))
        self.assertIn("status", output)
        subprocess.run([DRYDOCK, "-C", self.path("a"), "rollback", "--yes"], check=True,
                       stdout=subprocess.DEVNULL, timeout=60)
        self.assertEqual(self.read("a/data"), "old\n")
        again = self.start("rollout", "resume", self.file, "--retry", "failed")
        self.read("a/begun")
        self.let_go("a")
        self.ended(again, 0)
        self.assertEqual(self.runs_of("a"), ["rolled_back", "done"])
        self.assertEqual(self.runs_of("b"), ["done"])


class RolloutLogWithoutAnEnd(RolloutCase):
    """What is written from now on is in no log that anybody finds: how the runs ended is in their
    journals."""
    parallel = "2, max_failures: 1"

    def test(self):
        process, _ = self.begin()
        self.kill(process)
        for name in "ab":
            lose_the_rest(self.path(f"{name}/.drydock/logs/1/events.jsonl"))
        again = self.start("rollout", "resume", self.file)
        self.let_go("a")
        self.let_go("b", "bad")
        output = " ".join(self.ended(again, 1).split())
        self.assertIn("a: done", output)
        self.assertIn("b: failed and rolled back", output)
        found = json.loads(self.drydock("rollout", "history", "--json", code=0))
        self.assertEqual(sorted(each["state"] for each in found["runs"]), ["done", "rolled_back"])


class RolloutLogGone(RolloutCase):
    """It cannot be followed, and goes on: it is looked at until it has ended."""

    def test(self):
        process, _ = self.begin()
        self.kill(process)
        os.remove(self.path("a/.drydock/logs/1/events.jsonl"))
        again = self.start("rollout", "resume", self.file)
        self.let_go("b")
        for line in again.stdout:
            if "b: done" in line:
                break
        self.let_go("a")
        self.assertIn("has passed: 2 done", " ".join(self.ended(again, 0).split()))


class RolloutCancelsOnBudget(RolloutCase):
    more = "on_budget: cancel"

    def test(self):
        process, _ = self.begin()
        self.let_go("a", "bad")
        output = self.ended(process, 1)
        self.assertIn("b: cancelled and rolled back", output)
        self.assertEqual(self.runs_of("a"), ["rolled_back"])
        self.assertEqual(self.runs_of("b"), ["cancelled"])
        for name in "ab":
            self.assertEqual(self.read(f"{name}/data"), "old\n")


class RolloutPipelineChangedMeanwhile(RolloutCase):
    """What was begun is what every environment gets: one that would get another pipeline is refused."""
    parallel = 1

    def test(self):
        process = self.start("rollout", "run", self.file, "--yes")
        self.read("a/begun")
        self.write("sample.yaml", self.pipeline.replace("echo new", "echo other"))
        self.let_go("a")
        output = " ".join(self.ended(process, 1).split())
        self.assertIn("sample.yaml is another one than when the rollout 'faulty' was begun", output)
        self.assertEqual(self.read("a/data"), "new\n")
        self.assertEqual(self.read("b/data"), "old\n")


class RolloutBudgetSpentAtOnce(RolloutCase):
    """Two may start at once, and the first cannot: the second is not begun any more, and waits."""
    pipeline = RolloutCase.pipeline.replace("stages:", "secrets: { token: { env: FAULTY_TOKEN } }\nstages:")

    def test(self):
        text = self.read("rollout.yaml").replace(
            "dir: a", "secrets: { token: { env: FAULTY_GONE } }, dir: a")
        self.write("rollout.yaml", text)
        output = " ".join(self.drydock("rollout", "run", self.file, "--yes", code=1).split())
        self.assertIn("b: not begun", output)
        self.assertIn("1 of 2 environments failed", output)
        self.assertEqual(self.read("b/data"), "old\n")
        self.assertFalse(os.path.exists(self.path("b/.drydock")))


class RolloutKeyOfARemovedRun(RolloutCase):
    """The record says that a run may have begun, and its environment has removed it since: it is not begun
    a second time."""

    def test(self):
        process, _ = self.begin()
        self.kill(process)
        state = sqlite3.connect(self.path(".drydock/rollouts.db"))
        with state:
            state.execute("UPDATE rollout_targets SET run = 0 WHERE name = 'b'")
        state.close()
        self.let_go("a")
        self.let_go("b", "bad")
        there = [DRYDOCK, "-C", self.path("b")]
        self.assertEqual(subprocess.run([*there, "attach"], stdout=subprocess.DEVNULL, timeout=60,
                                        check=False).returncode, 1)
        subprocess.run([*there, "history", "--prune", "--keep", "0", "--yes"], check=True, timeout=60,
                       stdout=subprocess.DEVNULL)
        self.assertEqual(self.runs_of("b"), [])
        output = " ".join(self.drydock("rollout", "resume", self.file, code=3).split())
        self.assertRegex(output, "b: .* run 1 had the key 'faulty[.].*/b/1' [(]rolled_back[)], and was removed")
        self.assertIn("a: done", output)
        self.assertEqual(self.runs_of("b"), [])
        again = self.start("rollout", "resume", self.file, "--retry", "failed")
        self.read("b/begun")
        self.let_go("b")
        self.ended(again, 0)
        self.assertEqual(self.runs_of("b"), ["done"])


class RolloutGivenUp(RolloutCase):
    """What still runs of a rollout that is given up is named, with what it needs."""

    def test(self):
        process, pids = self.begin()
        self.until_numbered()
        self.kill(process)
        output = " ".join(self.drydock("rollout", "run", self.file, "--yes", "--abandon", code=3).split())
        for name, pid in zip("ab", pids):
            there = "-C " + shlex.quote(self.path(name)).replace("'\"'\"'", "'\\''")
            self.assertIn(f"warning: {name}: run 1 was going on there; let it end (`drydock {there} attach 1` "
                          f"shows it) or cancel it (`drydock {there} cancel 1`)", output)
            self.assert_alive(pid)
        state = sqlite3.connect(self.path(".drydock/rollouts.db"))
        (reason,), = state.execute("SELECT reason FROM rollouts WHERE id = 1")
        state.close()
        self.assertTrue(reason.endswith("; what was going on: a (run 1), b (run 1)"), reason)
        for name in "ab":
            self.let_go(name)
            subprocess.run([DRYDOCK, "-C", self.path(name), "attach"], check=True, stdout=subprocess.DEVNULL,
                           timeout=60)
        again = self.start("rollout", "resume", self.file, "--retry", "failed")
        for name in "ab":
            self.read(f"{name}/begun")
            self.let_go(name)
        self.assertNotIn("was going on", self.ended(again, 0))


class RolloutKilledAtEveryLine(RolloutCase):
    """Killed after each line that it prints, and gone on with: nothing runs twice. A resume refuses when
    the rollout was not begun yet, or has passed already, and for no other reason."""
    more = "drift: include"  # what the environments know is removed again and again
    pipeline = """
drydock: 1
name: quick
stages:
  - { uses: exec, with: { shell: true, command: "echo once >> made" } }
"""

    def newest(self):
        """The last rollout of the state, and how it is; (0, ""): none was ever begun."""
        state = sqlite3.connect(self.path(".drydock/rollouts.db"))
        try:
            return state.execute("SELECT id, state FROM rollouts ORDER BY id DESC LIMIT 1").fetchone() or (0, "")
        except sqlite3.OperationalError as reason:
            self.assertIn("no such table", str(reason), "its file was being made")
            return (0, "")
        finally:
            state.close()

    def made(self):
        return [self.read(f"{name}/made") if os.path.exists(self.path(f"{name}/made")) else ""
                for name in "ab"]

    def test(self):
        lines = 0
        os.mkdir(self.path(".drydock"), mode=0o700)
        while True:
            earlier, how = self.newest()
            self.assertIn(how, ("", "passed"))
            for name in "ab":
                subprocess.run(["rm", "-rf", self.path(f"{name}/.drydock"), self.path(f"{name}/made")],
                               check=True)
            process = self.start("rollout", "run", self.file, "--yes", "--abandon")
            seen = [line for line in (process.stdout.readline() for _ in range(lines)) if line]
            self.kill(process)
            begun, how = self.newest()
            if len(seen) < lines:
                self.assertEqual((how, self.made()), ("passed", ["once\n", "once\n"]))
                break
            again = subprocess.run([DRYDOCK, "rollout", "resume", self.file], timeout=60, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, check=False)
            said = (lines, how, again.stdout)
            if begun == 0:
                refusal = "no rollout "
            elif how == "passed":  # this one, or the last one while this one had not begun
                refusal = "the rollout 'faulty' has ended (passed); begin a new one with "
            else:
                refusal = ""
            self.assertEqual(again.returncode, 2 if refusal else 0, said)
            self.assertIn(refusal, " ".join(again.stdout.split()), said)
            self.assertEqual(self.made(), ["", ""] if begun == earlier else ["once\n", "once\n"], said)
            if begun != earlier:
                self.assertEqual([self.runs_of(name) for name in "ab"], [["done"], ["done"]], said)
            lines += 1
        self.assertGreater(lines, 5)


if __name__ == "__main__":
    unittest.main()
