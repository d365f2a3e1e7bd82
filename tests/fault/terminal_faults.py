#!/usr/bin/env python3
"""The terminal is closed: at the question, in a run, and in a rollback. What goes on goes on."""
import json
import os
import sys
import unittest

from case import Case, Terminal


class TerminalCase(Case):
    def last(self):
        return json.loads(self.drydock("history", "--json", code=0))[0]

    def attach(self):
        """From another terminal, to what goes on, until it ends."""
        terminal = Terminal(self, "attach")
        terminal.read_until("Run 1 of faulty")
        return terminal


class TerminalClosedAtTheQuestion(TerminalCase):
    def test(self):
        terminal = Terminal(self, "run")
        terminal.read_until("Go ahead?")
        terminal.close()
        self.assertEqual(terminal.process.wait(60), 2)
        self.assertEqual(self.read("data"), "old\n")
        self.assertIn("nothing was ever run", self.drydock("history", code=0))
        self.drydock("status", code=0)


class TerminalClosedInARun(TerminalCase):
    def test(self):
        terminal = Terminal(self, "run", "--yes")
        self.read("begun")
        terminal.close()
        self.assertIn("running", self.drydock("status", code=0))
        attached = self.attach()
        self.let_go_on()
        attached.read_until("Upgraded")
        self.assertEqual(attached.process.wait(60), 0)
        self.assertEqual(terminal.process.wait(60), 0)
        self.assertEqual(self.last()["state"], "done")
        self.assertEqual(self.read("data"), "new\n")


class TerminalClosedInARollback(TerminalCase):
    """Of a run that failed, and of one that a person rolls back."""

    def test(self):
        self.write("drydock.yaml", self.read("drydock.yaml").replace(
            "read line < go", "read line < go; exit 7"))
        self.fifo("hold")
        terminal = Terminal(self, "run", "--yes")
        self.read("begun")
        self.let_go_on()
        with open(self.path("hold"), "w", encoding="utf-8") as hold:  # once its rollback reads
            terminal.close()
            self.assertIn("rolling back", self.drydock("status", code=0))
            attached = self.attach()
            hold.write("go\n")
        attached.read_until("Rolled back and verified")
        self.assertEqual(attached.process.wait(60), 1)
        self.assertEqual(terminal.process.wait(60), 1)
        self.assertEqual(self.last()["state"], "rolled_back")
        self.assertEqual(self.read("data"), "old\n")

    def test_of_a_finished_run(self):
        process, _ = self.start_and_wait_for_the_second_stage()
        self.let_go_on()
        self.assertEqual(process.wait(60), 0)
        self.fifo("hold")
        terminal = Terminal(self, "rollback", "--yes", "--accept-loss")
        with open(self.path("hold"), "w", encoding="utf-8") as hold:
            terminal.close()
            hold.write("go\n")
        self.assertEqual(terminal.process.wait(60), 0)
        self.assertEqual(self.last()["state"], "rolled_back")
        self.assertEqual(self.read("data"), "old\n")


class TerminalClosedAtTheQuestionOfARollback(TerminalCase):
    def test(self):
        process, pid = self.start_and_wait_for_the_second_stage()
        self.kill(process)
        self.assert_gone(pid)
        terminal = Terminal(self, "rollback")
        terminal.read_until("[y/N]")
        terminal.close()
        self.assertEqual(terminal.process.wait(60), 2)
        self.assertEqual(self.read("data"), "new\n")
        self.assertFalse(os.path.exists(self.path("undone")))
        self.drydock("status", code=4)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "--verbose", *sys.argv[1:]])
