#!/usr/bin/env python3
"""The clock of the day jumps, back or forward, while Drydock works or between two commands."""
import json
import os
import re
import struct
import sys
import unittest

from case import PIPELINE, Case

YEAR = 365 * 24 * 3600
JUMPS = (-10 * YEAR, -3600, 3600, 10 * YEAR)


class ClockCase(Case):
    def setUp(self):
        super().setUp()
        self.wrong_by(0)
        self.environment = {**os.environ, "LD_PRELOAD": os.environ["CLOCK_SHIM"],
                            "DRYDOCK_CLOCK": self.path("clock")}

    def wrong_by(self, seconds):
        """Written in place: whoever has mapped it sees it at once."""
        fd = os.open(self.path("clock"), os.O_RDWR | os.O_CREAT)
        os.pwrite(fd, struct.pack("=q", seconds), 0)
        os.close(fd)

    def start(self, *arguments):
        return super().start(*arguments, env=self.environment)

    def drydock(self, *arguments, code):
        return super().drydock(*arguments, code=code, env=self.environment)

    def finish(self, process, code):
        output = process.stdout.read()
        self.assertEqual(process.wait(), code, output)
        return output

    def one_run(self, jump=0):
        process, _ = self.start_and_wait_for_the_second_stage()
        self.wrong_by(jump)
        self.let_go_on()
        return self.finish(process, 0)

    def assert_durations(self, run):
        """None is below 0 or over a minute, wherever it is told."""
        told = self.drydock("logs", run, "--events", code=0) + \
            self.drydock("show", run, "--json", code=0)
        durations = [int(text) for text in re.findall(r'"duration_ms": ?(-?\d+)', told)]
        self.assertGreater(len(durations), 4)
        for duration in durations:
            self.assertTrue(0 <= duration < 60000, durations)


class ClockJumpsInARun(ClockCase):
    def test(self):
        for number, jump in enumerate(JUMPS, 1):
            with self.subTest(jump):
                self.write("data", "old\n")
                self.wrong_by(0)
                self.assertNotRegex(self.one_run(jump), r"-\d+\.?\d* (s|min|h)\b")
                self.assert_durations(str(number))
                # The shim was there: what ends before it begins was written down so.
                run = json.loads(self.drydock("history", "--json", code=0))[0]
                self.assertEqual(run["finished"] < run["started"], jump < 0)
                self.drydock("rollback", "--yes", "--accept-loss", code=0)
                self.assertEqual(self.read("data"), "old\n")
                self.assert_durations(str(number))


class ClockJumpsBeforeARollback(ClockCase):
    """Also of a run that was killed, whose processes are known by when they were started."""

    def test(self):
        for jump in JUMPS:
            with self.subTest(jump):
                self.write("data", "old\n")
                self.wrong_by(0)
                process, pid = self.start_and_wait_for_the_second_stage()
                self.kill(process)
                self.assert_gone(pid)
                self.wrong_by(jump)
                self.drydock("status", code=4)
                self.drydock("rollback", "--yes", code=0)
                self.assertEqual(self.read("data"), "old\n")
                self.drydock("status", code=0)


class ClockDoesNotMoveATimeout(ClockCase):
    """A stage has its time, however the clock jumps; and not a year more."""

    def test(self):
        for jump in (-YEAR, YEAR):
            with self.subTest(jump, timeout="is far"):
                self.wrong_by(0)
                self.write("drydock.yaml", PIPELINE.replace("- id: wait", "- id: wait\n    timeout: 50s"))
                self.one_run(jump)
            with self.subTest(jump, timeout="comes"):
                self.wrong_by(0)
                self.write("data", "old\n")
                self.write("drydock.yaml", PIPELINE.replace("- id: wait", "- id: wait\n    timeout: 2s"))
                process, _ = self.start_and_wait_for_the_second_stage()
                self.wrong_by(jump)
                self.assertIn("ran longer than its timeout", self.finish(process, 1))


class ClockDoesNotMoveTheWaitForTheLock(ClockCase):
    def test(self):
        for jump in (-YEAR, YEAR):
            with self.subTest(jump):
                self.wrong_by(0)
                first, _ = self.start_and_wait_for_the_second_stage()
                second = self.start("run", "--yes", "--lock-wait", "1m")
                line = second.stdout.readline()
                self.assertIn(f"waiting for process {first.pid}", line)
                self.wrong_by(jump)
                self.let_go_on()
                self.finish(first, 0)
                self.read("begun")
                self.let_go_on()
                self.finish(second, 0)


class PrunedByTheClock(ClockCase):
    """Runs come one after the other, whatever the clock says: none is older than one before it."""

    def pruned(self, *rule):
        return [run["run"] for run in json.loads(
            self.drydock("history", "--prune", "--json", "--yes", *rule, code=0))["removed"]]

    def test(self):
        for jump in (0, -10 * YEAR, 10 * YEAR, 0):
            self.wrong_by(jump)
            self.write("data", "old\n")
            self.one_run(jump)
            if jump < 0:  # what stands keeps what came after it; this no longer does
                self.drydock("rollback", "--yes", "--accept-loss", code=0)
        self.assertEqual(self.pruned("--older-than", "30d"), [])
        self.wrong_by(-10 * YEAR)
        self.assertEqual(self.pruned("--older-than", "30d"), [])
        self.wrong_by(YEAR)
        self.assertEqual(self.pruned("--older-than", "30d"), [1, 2])
        self.assertTrue(os.path.isdir(self.path(".drydock/backups/3")))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "--verbose", *sys.argv[1:]])
