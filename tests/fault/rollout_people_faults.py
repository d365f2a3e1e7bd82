#!/usr/bin/env python3
"""What people see, answer and are told while a rollout goes on, and the gates beside them. Run by ctest, one
class a test."""
import json
import os
import signal
import unittest

from case import PIPELINE, Terminal
from rollout_case import RolloutCase


class RolloutOnATerminal(RolloutCase):
    """A line for each environment that is drawn again, with the stage that it is in, and a total."""

    def test(self):
        screen = Terminal(self, "rollout", "run", self.file, "--yes")
        for name in "ab":
            self.read(f"{name}/begun")
        screen.read_until("wait (2 of 2)")
        screen.read_until("0 done, 2 running")
        watcher = Terminal(self, "rollout", "status", self.file, "--watch")
        watcher.read_until("a: running (run 1)")
        self.let_go("a")
        screen.read_until("a: done")
        watcher.read_until("1 done, 1 running")
        self.let_go("b")
        screen.read_until("has passed: 2 done")
        watcher.read_until("has passed")
        for each in (screen, watcher):
            self.assertEqual(each.process.wait(timeout=60), 0)


class RolloutWaitsForAnswers(RolloutCase):
    """Environments that do not answer at once are named while they are waited for."""

    def setUp(self):
        super().setUp()
        text = self.read("rollout.yaml").replace("environments:", "defaults: { sudo: true }\nenvironments:", 1)
        self.write("rollout.yaml", text)
        for name in "ab":
            self.fifo(f"{name}/answer")
        os.mkdir(self.path("bin"))
        self.write("bin/sudo", """#!/bin/sh
shift 2
case "$*" in *--installation*) read line < "$3/answer" ;; esac
exec "$@"
""")
        os.chmod(self.path("bin/sudo"), 0o755)
        before = os.environ["PATH"]
        os.environ["PATH"] = self.path("bin") + ":" + before
        self.addCleanup(os.environ.update, {"PATH": before})

    def answer(self, name):
        with open(self.path(f"{name}/answer"), "w", encoding="utf-8"):
            pass

    def test(self):
        screen = Terminal(self, "rollout", "run", self.file)
        screen.read_until("0 of 2 environments asked in ")
        self.answer("a")
        screen.read_until("1 of 2 environments asked in ")
        screen.read_until("; waiting for b\r")
        self.answer("b")
        screen.read_until("Go ahead? [y/N]")
        screen.type("n\n")
        self.assertEqual(screen.process.wait(timeout=60), 2)


class RolloutWatchedWithoutATerminal(RolloutCase):
    """What becomes different is a line; and it ends with the rollout."""

    def test(self):
        process, _ = self.begin()
        watcher = self.start("rollout", "status", self.file, "--watch")
        documents = self.start("rollout", "status", self.file, "--watch", "--json")
        seen = [json.loads(documents.stdout.readline())]
        self.assertEqual((seen[0]["state"], seen[0]["wave"], seen[0]["exit_code"], seen[0]["finished"]),
                         ("running", "both", None, None))
        for name in "ab":
            self.let_go(name)
        self.ended(process, 0)
        seen += [json.loads(line) for line in self.ended(documents, 0).splitlines()]
        self.assertEqual((seen[-1]["state"], seen[-1]["wave"], seen[-1]["exit_code"]), ("passed", None, 0))
        for before, after in zip(seen, seen[1:]):
            self.assertNotEqual(before, after)
        output = self.ended(watcher, 0)
        self.assertIn("rollout faulty has passed", output)
        self.assertNotIn("\x1b[", output)
        self.assertEqual(output.count("begun 20"), 1, output)


class RolloutAsksOnATerminal(RolloutCase):
    """Whoever is there is told how long it is likely to take, and how much a resume begins."""
    pipeline = PIPELINE.replace("echo $$ > begun; read line < go", "test ! -e broken")

    def asked(self, screen, *words):
        with screen.grew:
            self.assertTrue(screen.grew.wait_for(lambda: all(word in screen.screen for word in words), 60),
                            screen.screen)

    def test(self):
        self.write("b/broken", "")
        self.drydock("rollout", "run", self.file, "--yes", code=1)
        screen = Terminal(self, "rollout", "run", self.file)
        self.asked(screen, "likely", "in all", "Go ahead? [y/N]")
        screen.type("n\n")
        self.assertEqual(screen.process.wait(timeout=60), 2)
        os.remove(self.path("b/broken"))
        screen = Terminal(self, "rollout", "resume", self.file, "--retry", "failed")
        self.asked(screen, "1 environment to come, 1 of them once more. Go on? [y/N]")
        screen.type("n\n")
        self.assertEqual(screen.process.wait(timeout=60), 2)
        self.assertEqual(len(self.runs_of("b")), 1)
        screen = Terminal(self, "rollout", "resume", self.file, "--retry", "failed")
        self.asked(screen, "Go on? [y/N]")
        screen.type("y\n")
        self.assertEqual(screen.process.wait(timeout=60), 0)


class RolloutApprovedBySudo(RolloutCase):
    """It is recorded who that was, and not only as whom."""

    def test(self):
        with open("/proc/self/loginuid", encoding="ascii") as file:
            known = file.read().strip() != "4294967295"
        if os.geteuid() != 0 or known:
            self.skipTest("needs root that nobody has logged in as")
        self.write("sample.yaml", "{ drydock: 1, name: quick, stages: [{ exec: ['true'] }] }")
        self.write("rollout.yaml", self.read("rollout.yaml").replace("parallel: 2", "approve: true"))
        self.drydock("rollout", "run", self.file, "--yes", "--until", "approval", code=6)
        self.drydock("rollout", "approve", self.file, "--wave", "both", code=0,
                     env={**os.environ, "SUDO_USER": "alice"})
        self.assertIn("approved by alice (as root)@", self.drydock("rollout", "status", self.file, code=4))


class RolloutApprovalOfARetry(RolloutCase):
    """What somebody approved was begun again since: it waits for another approval."""
    more = "# two waves"

    def test(self):
        os.mkdir(self.path("c"))
        text = self.read("rollout.yaml").replace(
            "parallel: 2 }", "parallel: 2, max_failures: 1, approve: true }").replace(
            "environments: all", "environments: [a, b]")
        text = text.replace("  b: { dir: b }", "  b: { dir: b }\n  c: { dir: c }").replace(
            "# two waves", "  - { name: last, environments: [c] }")
        self.write("rollout.yaml", text)
        process = self.start("rollout", "run", self.file, "--yes", "--until", "approval")
        for name in "ab":
            self.read(f"{name}/begun")
        self.let_go("a", "bad")
        self.let_go("b")
        self.ended(process, 6)
        self.drydock("rollout", "approve", self.file, "--wave", "both", code=0)
        again = self.start("rollout", "resume", self.file, "--retry", "failed", "--until", "approval")
        self.read("a/begun")
        self.let_go("a")
        self.ended(again, 6)
        self.assertFalse(os.path.exists(self.path("c/.drydock")))


class RolloutTellsOnceThatItWaits(RolloutCase):
    """Also when several supervisors, one after the other, find it waiting; and again when it has to be
    approved again."""
    pipeline = PIPELINE.replace("echo $$ > begun; read line < go", "test ! -e ../broken")
    more = "notify: { exec: [/bin/sh, -c, 'echo ${{ vars.status }} >> told'] }"

    def resume(self, *more):
        self.drydock("rollout", "resume", self.file, "--until", "approval", *more, code=6)

    def test(self):
        self.write("rollout.yaml", self.read("rollout.yaml").replace(
            "parallel: 2", "max_failures: 2, approve: true"))
        self.write("broken", "")
        self.drydock("rollout", "run", self.file, "--yes", "--until", "approval", code=1)
        os.remove(self.path("broken"))
        self.resume("--retry", "failed")
        self.resume()
        self.resume()
        self.assertEqual(self.read("told"), "failed\nwaits\n")


class RolloutLeftAtAGate(RolloutCase):
    """Ctrl-C while a gate runs ends the gate with what it has started; it is asked again later."""
    pipeline = 'drydock: 1\nname: quick\nstages: [{ uses: exec, with: { command: ["true"] } }]\n'

    def setUp(self):
        super().setUp()
        text = self.read("rollout.yaml").replace("parallel: 2 }", "parallel: 2, gate: { exec: "
                                                 '[/bin/sh, -c, "echo $$ > begun; cat go & wait $!"] } }')
        self.write("rollout.yaml", text)

    def test(self):
        process = self.start("rollout", "run", self.file, "--yes")
        begun = int(self.read("begun"))
        go = os.open(self.path("go"), os.O_WRONLY)  # returns when what the gate has started reads it
        process.send_signal(signal.SIGINT)
        output = " ".join(self.ended(process, 4).split())
        self.assertIn("the rollout 'faulty' was left. Go on with", output)
        self.assert_gone(begun)
        with self.assertRaises(BrokenPipeError, msg="something reads it still"):
            os.write(go, b"go\n")
        os.close(go)
        again = self.start("rollout", "resume", self.file)
        self.read("begun")
        self.let_go_on()
        self.assertIn("gate exec holds", self.ended(again, 0))


class RolloutGateThatDoesNotEnd(RolloutCase):
    """Once its time is over; what it has started is killed all the same."""
    pipeline = RolloutLeftAtAGate.pipeline

    def test(self):
        self.write("rollout.yaml", self.read("rollout.yaml").replace(
            "parallel: 2 }", "parallel: 2, gate: { timeout: 2s, exec: "
            """[/bin/sh, -c, "trap '' TERM; echo $$ > begun; cat go"] } }"""))
        process = self.start("rollout", "run", self.file, "--yes")
        begun = int(self.read("begun"))
        go = os.open(self.path("go"), os.O_WRONLY)  # returns when what the gate has started reads it
        output = " ".join(self.ended(process, 1).split())
        self.assertIn("it did not end within 2.0 s, which its 'timeout:' allows, and was ended", output)
        self.assert_gone(begun)
        with self.assertRaises(BrokenPipeError, msg="something reads it still"):
            os.write(go, b"go\n")
        os.close(go)


class RolloutCannotNotify(RolloutCase):
    more = 'notify: { uses: exec, with: { command: ["true"] } }'

    def test(self):
        folder = self.path(".drydock/rollouts/faulty")
        os.makedirs(folder, mode=0o700)
        self.write(".drydock/rollouts/faulty/notifications", "in the way\n")
        process, _ = self.begin()
        self.let_go("a")
        self.let_go("b", "bad")
        output = " ".join(self.ended(process, 1).split())
        self.assertIn("a notification failed: ", output)
        self.assertIn("has failed", output)
        self.drydock("rollout", "status", self.file, code=1)


if __name__ == "__main__":
    unittest.main()
