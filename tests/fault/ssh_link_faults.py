#!/usr/bin/env python3
"""Rollouts over ssh: links that are cut, and supervisors that are killed meanwhile. Run by ctest, one class a
test."""
import json
import os
import subprocess
import unittest

from case import DRYDOCK, PIPELINE
from ssh_case import QUICK, SshCase


class SshLinkCut(SshCase):
    """For a while: the run there goes on, is found again, and no line of it is read twice."""

    def test(self):
        process, _ = self.begin()
        self.hosts["a"].away()
        self.read_until(process, "trying again")
        self.let_go("a")  # it ends while nobody sees it
        self.let_go("b")
        self.hosts["a"].back()
        output = self.ended(process, 0)
        self.assertIn("Rollout far has passed: 2 done.", output)
        for name in self.names:
            self.assertEqual(self.runs_of(name), ["done"])
            self.assert_every_event_once(name)


class SshLinkCutForGood(SshCase):
    reconnect = "1s"

    def test(self):
        process, _ = self.begin()
        self.hosts["a"].away()
        self.let_go("b")
        output = self.ended(process, 3)
        self.assertIn("a: unreachable", output)
        self.assertIn("1 of 2 environments could not be reached in the wave 'all', and none may be missing",
                      output)
        self.assertIn("1 done, 1 unreachable", output)
        self.assertIn("Look at: ssh a", output)
        status = json.loads(self.drydock("rollout", "status", self.file, "--json", code=3))
        self.assertEqual([each["state"] for each in status["waves"][0]["environments"]],
                         ["unreachable", "done"])
        # Still away: nothing is begun.
        self.drydock("rollout", "plan", self.file, code=2)
        self.assertIn("a is not reached", " ".join(
            self.drydock("rollout", "resume", self.file, code=2).split()))
        self.hosts["a"].back()
        again = self.start("rollout", "resume", self.file)
        self.let_go("a")
        self.ended(again, 0)
        for name in self.names:
            self.assertEqual(self.runs_of(name), ["done"])
            self.assert_every_event_once(name)


class SshLinkSilent(SshCase):
    """Nobody says that the link is dead: it is noticed, and the run found again."""
    names = "a"

    def test(self):
        process, _ = self.begin()
        self.hosts["a"].fall_silent()
        self.read_until(process, "trying again")
        self.hosts["a"].fall_silent(False)
        self.let_go("a")
        self.ended(process, 0)
        self.assert_every_event_once("a")


class SshOneMayBeMissing(SshCase):
    more = ", max_unreachable: 1"

    def test(self):
        self.hosts["a"].away()
        self.assertIn("a is not reached", " ".join(
            self.drydock("rollout", "plan", self.file, code=0).split()))
        process = self.start("rollout", "run", self.file, "--yes")
        self.read_until(process, "a: started")
        self.read("b $it/begun")
        self.let_go("b")
        self.hosts["a"].back()
        self.read("a $it/begun")
        self.let_go("a")
        self.ended(process, 0)


class SshOneThatIsAwayLeavesItsPlace(SshCase):
    """One at a time, and the first one's host is away: the second need not wait for it."""
    more = ", max_unreachable: 1"

    def setUp(self):
        super().setUp()
        with open(self.file, encoding="utf-8") as file:
            text = file.read()
        self.assertIn("parallel: 2", text)
        self.write("rollout.yaml", text.replace("parallel: 2", "parallel: 1"))

    def test(self):
        self.hosts["a"].away()
        process = self.start("rollout", "run", self.file, "--yes")
        self.read_until(process, "trying again")
        self.read("b $it/begun")
        self.let_go("b")
        self.read_until(process, "b: done")
        status = json.loads(self.drydock("rollout", "status", self.file, "--json", code=0))
        self.assertEqual(status["waves"][0]["environments"][0]["state"], "waiting")
        self.hosts["a"].back()
        self.read("a $it/begun")
        self.let_go("a")
        output = self.ended(process, 0)
        self.assertNotIn("a: started", output, "it was said once")
        self.assertIn("passed: 2 done", output)


class SshCutWhileItPlans(SshCase):
    """Nobody has heard of the run yet: its key finds it, and it is not started twice."""
    names = "a"
    pipeline = PIPELINE.replace("observe: [/bin/cat, data]",
                                'observe: [/bin/sh, -c, "cat data; echo $$ > begun; read line < go"]')

    def test(self):
        process, _ = self.begin()
        self.hosts["a"].away()
        self.read_until(process, "trying again")
        self.hosts["a"].back()
        self.let_go("a")            # its plan
        self.read("a $it/begun")    # its second stage
        self.let_go("a")
        self.ended(process, 0)
        self.assertEqual(self.runs_of("a"), ["done"])


class SshCancelWhileCut(SshCase):
    """The budget is spent while one host is away: the cancel arrives when it is back."""

    def setUp(self):
        super().setUp()
        with open(self.file, "a", encoding="utf-8") as file:
            file.write("on_budget: cancel\n")

    def test(self):
        process, _ = self.begin()
        self.hosts["b"].away()
        self.read_until(process, "trying again")
        self.let_go("a", "bad")
        self.read_until(process, "a: failed and rolled back")
        self.hosts["b"].back()
        self.assertIn("b: cancelled and rolled back", self.ended(process, 1))
        self.assertEqual(self.runs_of("b"), ["cancelled"])


class SshSupervisorKilled(SshCase):
    def test(self):
        process, pids = self.begin()
        self.kill(process)
        for pid in pids:
            os.kill(pid, 0)  # it goes on
        self.assertIn("left in the wave 'all'", self.drydock("rollout", "status", self.file, code=4))
        again = self.start("rollout", "resume", self.file)
        for name in self.names:
            self.let_go(name)
        output = self.ended(again, 0)
        self.assertEqual(output.count("found again"), 2, output)
        for name in self.names:
            self.assertEqual(self.runs_of(name), ["done"])
            self.assert_every_event_once(name)


class SshKilledAndCutAtEveryLine(SshCase):
    """The supervisor is killed after each line that it prints, or all links are cut there: nothing
    runs twice, and nothing is left out."""
    pipeline = QUICK

    def options_of(self, name):
        return ", vars: { to: once }"

    def go_on_after(self, lines, fault):
        """Whether there were as many lines."""
        for name in self.names:
            subprocess.run(["rm", "-rf", self.there(name, ".drydock"), self.there(name, "made")], check=True)
        subprocess.run(["rm", "-rf", self.path(".drydock")], check=True)
        process = self.start("rollout", "run", self.file, "--yes")
        seen = [line for line in (process.stdout.readline() for _ in range(lines)) if line]
        fault(process)
        if len(seen) < lines:
            return False
        if process.poll() is None and fault is not self.kill:
            process.communicate(timeout=90)
        again = subprocess.run([DRYDOCK, "rollout", "resume", self.file], timeout=90, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, check=False)
        if "was begun in" in again.stdout:
            return True  # killed before it had begun
        for name in self.names:
            self.assertEqual(self.read(f"{name} $it/made"), "once\n\n", (lines, again.stdout))
            self.assertEqual(self.runs_of(name), ["done"])
            self.assert_every_event_once(name)
        return True

    def cut(self, process):
        for host in self.hosts.values():
            host.cut()

    def test(self):
        for fault in (self.kill, self.cut):
            lines = 0
            while self.go_on_after(lines, fault):
                lines += 1
            self.assertGreater(lines, 5)


class SshCutWhileItGoesBack(SshCase):
    """A link is lost while a wave is put back: the rollback there goes on, and is found again."""

    def upgrade(self):
        process, _ = self.begin()
        for name in self.names:
            self.let_go(name)
        self.ended(process, 0)

    def goes_back(self):
        """What puts the wave back; a's rollback waits at the other end of what is returned beside it."""
        self.upgrade()
        self.fifo("a $it/hold")
        process = self.start("rollout", "rollback", self.file, "--yes", "--accept-loss")
        return process, os.open(self.there("a", "hold"), os.O_WRONLY)

    def let_go_back(self, hold):
        os.remove(self.there("a", "hold"))
        os.write(hold, b"go\n")
        os.close(hold)

    def assert_all_went_back_once(self):
        for name in self.names:
            self.assertEqual(self.runs_of(name), ["rolled_back"])
            self.assertEqual(self.read(f"{name} $it/data"), "old\n")
            self.assertEqual(self.read(f"{name} $it/undone"), "wait\nchange\n")
        # Nothing is expected of it any more.
        self.assertNotIn("drift", self.drydock("rollout", "status", self.file, "--all", code=0))

    code = 0

    def test(self):
        process, hold = self.goes_back()
        self.hosts["a"].away()
        self.assertIn("while its rollback goes on by itself", " ".join(
            (self.read_until(process, "trying again") + process.stdout.readline()).split()))
        self.hosts["a"].back()
        self.read_until(process, "reached again")
        self.let_go_back(hold)
        self.assertIn("a: rolled back", self.ended(process, self.code))
        self.assert_all_went_back_once()


class SshCutWhileAFailureGoesBack(SshCutWhileItGoesBack):
    """The same of what a failure puts back."""
    code = 1

    def setUp(self):
        super().setUp()
        with open(self.file, "a", encoding="utf-8") as file:
            file.write("on_failure: rollback-wave\n")

    def goes_back(self):
        self.fifo("a $it/hold")
        process, _ = self.begin()
        self.let_go("a")
        self.read_until(process, "a: done")
        self.let_go("b", "bad")
        return process, os.open(self.there("a", "hold"), os.O_WRONLY)


class SshCutForGoodWhileItGoesBack(SshCutWhileItGoesBack):
    """Nobody knows how its rollback ends: it stays to be put back, and a resume looks again."""
    reconnect = "1s"

    def test(self):
        process, hold = self.goes_back()
        self.hosts["a"].away()
        output = self.ended(process, 3)
        self.assertIn("a: being rolled back (run 1): ", output)
        self.assertIn("; its rollback may go on there", output)
        self.assertIn("b: rolled back", output)
        self.assertIn("1 environment is not known to be put back, since nobody could ask there: a. Go on with: "
                      "drydock rollout resume", output)
        self.assertIn(" --abandon --env a --comment WHY)", output)
        self.let_go_back(hold)
        self.assertIn("its rollback may go on there", " ".join(
            self.drydock("rollout", "status", self.file, code=4).split()))
        path = os.path.join(self.hosts["a"].bin, "drydock")
        os.unlink(path)
        with open(path, "w", encoding="utf-8") as file:  # as a login shell may
            file.write(f'#!/bin/sh\necho "Welcome!"\nexec "{DRYDOCK}" "$@"\n')
        os.chmod(path, 0o755)
        self.hosts["a"].back()
        self.assertIn("a: rolled back", self.drydock("rollout", "resume", self.file, code=0))
        self.assert_all_went_back_once()


class SshGivenUpOnTheWayBack(SshCutWhileItGoesBack):
    """A host that never comes back is given up, and the rest ends."""
    reconnect = "1s"

    def test(self):
        process, hold = self.goes_back()
        self.hosts["a"].away()
        self.ended(process, 3)
        self.let_go_back(hold)
        words = ("rollout", "rollback", self.file, "--abandon", "--env", "a", "--comment", "dead for good")
        output = self.drydock(*words, code=0)
        self.assertIn("a of far is given up, and yours to put back; see: ssh a ", output)
        self.assertIn("Go on with the rest: drydock rollout resume ", output)
        self.assertIn("--env: found 'a' (abandoned), allowed: an environment that is to be put back (there is none)",
                      self.drydock(*words, code=2))
        output = self.drydock("rollout", "resume", self.file, code=3)
        self.assertIn("1 given up, 1 rolled back", " ".join(output.split()))
        status = self.drydock("rollout", "status", self.file, code=3)
        self.assertIn("dead for good", " ".join(status.split()))


class SshAwayOnTheWayBack(SshCutWhileItGoesBack):
    """One at a time, and the host of the first one is away: the next one has its place."""

    def setUp(self):
        super().setUp()
        self.write("rollout.yaml", self.read("rollout.yaml").replace("parallel: 2", "parallel: 1"))

    def upgrade(self):
        process = self.start("rollout", "run", self.file, "--yes")
        for name in self.names:
            self.read(f"{name} $it/begun")
            self.let_go(name)
        self.ended(process, 0)

    def test(self):
        self.upgrade()
        self.fifo("b $it/hold")
        process = self.start("rollout", "rollback", self.file, "--yes", "--accept-loss")
        hold = os.open(self.there("b", "hold"), os.O_WRONLY)
        self.hosts["b"].away()
        self.read_until(process, "a: rolled back")
        self.hosts["b"].back()
        os.remove(self.there("b", "hold"))
        os.write(hold, b"go\n")
        os.close(hold)
        self.assertIn("b: rolled back", self.ended(process, 0))
        self.assert_all_went_back_once()


if __name__ == "__main__":
    unittest.main()
