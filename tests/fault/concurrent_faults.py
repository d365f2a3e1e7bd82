#!/usr/bin/env python3
"""Two `drydock run` at the same time: one runs, the other says who does, or waits for its turn, or
shows that run when it has the same key.

ROUNDS says how often it is tried.
"""
import json
import os
import select
import sys
import unittest

from case import Case

PIPELINE = """
drydock: 1
name: tiny
stages:
  - uses: exec
    with: { command: [/bin/sh, -c, "echo $DRYDOCK_RUN >> runs; echo $$ > begun; read line < go"] }
"""
ROUNDS = int(os.environ.get("ROUNDS", "10"))


class ConcurrentCase(Case):
    def setUp(self):
        super().setUp()
        self.write("drydock.yaml", PIPELINE)
        self.write("runs", "")

    def end_of(self, process, code):
        output = process.stdout.read()
        self.assertEqual(process.wait(), code, output)
        return output

    def assert_journal(self, runs):
        """Each run is there once, has ended well, and has done its work alone and in its turn."""
        history = json.loads(self.drydock("history", "--json", code=0))
        self.assertEqual([run["run"] for run in history], list(range(runs, 0, -1)))
        self.assertEqual({run["state"] for run in history}, {"done"})
        for earlier, later in zip(history[1:], history):
            self.assertLessEqual(earlier["finished"], later["started"])
        self.assertEqual(self.read("runs").split(), [str(run) for run in range(1, runs + 1)])
        self.drydock("status", code=0)


class OneOfTwoRuns(ConcurrentCase):
    def test(self):
        for number in range(1, ROUNDS + 1):
            both = [self.start("run", "--yes"), self.start("run", "--yes")]
            self.read("begun")
            # One is in its stage, so the first output to be closed is that of the other.
            refused = self.first_to_end(both)
            runs = both[1 - both.index(refused)]
            said = self.end_of(refused, 4)
            self.assertIn("another run holds the lock", said)
            self.assertIn(f"process {runs.pid} of ", said)
            self.let_go_on()
            self.end_of(runs, 0)
            self.assert_journal(number)

    def first_to_end(self, processes):
        fds = {os.pidfd_open(process.pid): process for process in processes}
        ready, _, _ = select.select(list(fds), [], [], 60)
        for fd in fds:
            os.close(fd)
        self.assertEqual(len(ready), 1)
        return fds[ready[0]]


class TwoRunsInTurn(ConcurrentCase):
    def test(self):
        for number in range(2, 2 * ROUNDS + 1, 2):
            both = [self.start("run", "--yes", "--lock-wait", "1m") for _ in range(2)]
            for _ in both:
                self.read("begun")
                self.let_go_on()
            for process in both:
                self.end_of(process, 0)
            self.assert_journal(number)


class TheSameKeyTwice(ConcurrentCase):
    def test(self):
        for number in range(1, ROUNDS + 1):
            both = [self.start("run", "--yes", "--key", f"key {number}") for _ in range(2)]
            self.read("begun")
            for process in both:  # it goes on, and both show it
                while not process.stdout.readline().startswith(f"Run {number} of tiny"):
                    self.assertIsNone(process.poll())
            self.let_go_on()
            for process in both:
                self.end_of(process, 0)
            self.assert_journal(number)


class TheSameKeyWhilePlanning(ConcurrentCase):
    """Whoever comes while the first one still plans waits until there is a run to show."""

    def setUp(self):
        super().setUp()
        self.write("drydock.yaml", PIPELINE + """
  - uses: exec
    with:
      command: [/bin/true]
      observe: [/bin/sh, -c, "echo $$ > observing; read line < look; echo same"]
""")
        self.fifo("observing")
        self.fifo("look")

    def begin(self):
        """Returns when the first one plans, and the others wait for it."""
        first = self.start("run", "--yes", "--key", "mine")
        self.read("observing")
        others = [self.start("run", "--yes", "--key", "mine"),
                  self.start("run", "--yes", "--key", "mine", "--detach")]
        for other in others:
            self.assertIn(f"process {first.pid} of ", said := other.stdout.readline())
            self.assertIn("plans the run 'mine'", said)
        return first, others

    def look(self):
        with open(self.path("look"), "w", encoding="utf-8") as look:
            look.write("look\n")

    def test(self):
        first, (shows, detached) = self.begin()
        self.drydock("run", "--yes", "--key", "another", code=4)
        self.look()
        self.assertIn("Run 1 has this key already", self.end_of(detached, 0))
        self.read("begun")
        self.let_go_on()
        for process in (first, shows):
            self.assertIn("Upgraded: run 1", self.end_of(process, 0))
        self.assert_journal(1)

    def test_that_ends_before_its_run(self):
        """Then the next one plans and runs it."""
        first, (shows, detached) = self.begin()
        self.kill(first)
        self.read("observing")
        self.look()
        self.read("begun")
        self.let_go_on()
        for process in (shows, detached):
            self.end_of(process, 0)
        self.drydock("attach", code=0)
        self.assert_journal(1)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "--verbose", *sys.argv[1:]])
