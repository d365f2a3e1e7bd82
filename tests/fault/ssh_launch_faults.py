#!/usr/bin/env python3
"""The link is lost while a run is ordered, and meanwhile the budget of the wave is spent: nothing more is started,
and what has begun is found by its key. Run by ctest, one class a test."""
import os
import unittest

from case import DRYDOCK
from ssh_case import SshCase

# Stands for `drydock` on b: the first order to start a run says that it has arrived, and waits for what becomes of it.
BINARY = """#!/bin/sh
case "$*" in
  *--detach*)
    if [ ! -e "{dir}/arrived" ]; then
      echo arrived > "{dir}/arrived"
      echo > "{dir}/order"
      read what < "{dir}/becomes"
      [ "$what" = begun ] || exit 0
    fi ;;
esac
exec "{drydock}" "$@"
"""


class SshOrderLost(SshCase):
    """It was never carried out, and is not given again."""

    def setUp(self):
        super().setUp()
        os.mkdir(self.path("orders"))
        for name in ("order", "becomes"):
            self.fifo(f"orders/{name}")
        binary = os.path.join(self.hosts["b"].bin, "drydock")
        os.remove(binary)
        self.write_file(binary, BINARY.format(dir=self.path("orders"), drydock=DRYDOCK))
        os.chmod(binary, 0o755)

    def becomes(self, what):
        with open(self.path("orders/becomes"), "w", encoding="utf-8") as order:
            order.write(what + "\n")

    def test(self):
        process = self.start("rollout", "run", self.file, "--yes")
        self.read("orders/order")
        self.read("a $it/begun")
        self.hosts["b"].away()
        self.read_until(process, "trying again")
        self.let_go("a", "bad")
        self.read_until(process, "a: failed and rolled back")
        self.then(process)

    def then(self, process):
        self.becomes("lost")
        self.hosts["b"].back()
        output = self.ended(process, 1)
        self.assertIn("b: not begun, since its wave has failed meanwhile", output)
        self.assertIn("1 failed, 1 to come", output)
        self.assertFalse(os.path.exists(self.there("b", ".drydock")))
        # What was not begun is begun once somebody wants that.
        process = self.start("rollout", "resume", self.file, "--retry", "failed")
        for name in "ab":
            self.read(f"{name} $it/begun")
            self.let_go(name)
        self.assertIn("passed: 2 done", self.ended(process, 0))


class SshOrderArrived(SshOrderLost):
    """It was carried out while nobody could look: its run is found, and followed to its end."""

    def then(self, process):
        self.becomes("begun")
        self.read("b $it/begun")
        self.hosts["b"].back()
        self.read_until(process, "b: reached again")
        self.let_go("b")
        output = self.ended(process, 1)
        self.assertIn("b: done", output)
        self.assertIn("1 done, 1 failed", output)
        self.assertEqual(self.runs_of("b"), ["done"])


class SshOrderCannotBeFound(SshOrderLost):
    """Another Drydock is there, which does not know how to be asked: nothing is guessed."""

    def then(self, process):
        binary = os.path.join(self.hosts["b"].bin, "drydock")
        with open(binary, encoding="utf-8") as file:
            text = file.read()
        self.write_file(binary + ".older", text.replace('case "$*" in', """case "$*" in
  *--key*) echo "drydock: status: unrecognised option '--key'" >&2; exit 2 ;;
esac
case "$*" in"""))
        os.chmod(binary + ".older", 0o755)
        os.replace(binary + ".older", binary)
        self.becomes("lost")
        self.hosts["b"].back()
        output = self.ended(process, 3)
        self.assertIn("whether its run has begun is not known: status: unrecognised option '--key'; its run may go on: "
                      "see `ssh", output)
        self.assertFalse(os.path.exists(self.there("b", ".drydock")))


if __name__ == "__main__":
    unittest.main()
