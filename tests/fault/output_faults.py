#!/usr/bin/env python3
"""Standard output that is closed or full, or whose reader has left."""
import json
import os
import subprocess
import sys
import unittest

from case import DRYDOCK, Case


class OutputCase(Case):
    def drydock_into(self, out, *arguments, code, **options):
        done = subprocess.run([DRYDOCK, "-C", self.dir, *arguments], stdin=subprocess.DEVNULL,
                              stdout=out, stderr=subprocess.PIPE, text=True, timeout=60, **options)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr


class OutputClosed(OutputCase):
    """No file of a run's gets the numbers of the closed streams, and with them what is printed."""

    # Of the runner, which is who holds the lock.
    look = """drydock: 1
stages:
  - exec: [/bin/sh, -c, 'pid=$(sed "s/.*pid.:\\([0-9]*\\).*/\\1/" .drydock/lock);
      readlink /proc/$pid/fd/0 /proc/$pid/fd/1 /proc/$pid/fd/2 > streams']
"""

    def test(self):
        self.write("drydock.yaml", self.look)
        for closed in ([1], [0, 1, 2]):
            process = subprocess.Popen([DRYDOCK, "-C", self.dir, "run", "--yes"],
                                       preexec_fn=lambda: [os.close(fd) for fd in closed])
            self.assertEqual(process.wait(60), 0)
            streams = self.read("streams").split("\n")
            self.assertEqual([streams[fd] for fd in closed], ["/dev/null"] * len(closed))


class OutputFull(OutputCase):
    """Who was told nothing was not told that all is well; a run's code is about the application."""

    def test(self):
        self.write("drydock.yaml", "drydock: 1\nstages: [{ exec: [/bin/true] }]\n")
        with open("/dev/full", "w", encoding="utf-8") as full:
            said = self.drydock_into(full, "run", "--yes", code=0)
            self.assertIn("what was printed could not be written whole", said)
            for command in (["status"], ["plan", "--json"], ["show"], ["history", "--json"], ["logs"],
                            ["stages"], ["backups", "list"], ["plugin", "list"], ["plan", "--help"]):
                said = self.drydock_into(full, *command, code=2)
                self.assertEqual(said.count("\n"), 1, said)
                self.assertIn("what was printed could not be written whole", said)


class OutputReadEnough(OutputCase):
    """Whoever reads a part of it (`| head`) misses nothing."""

    def test(self):
        self.write("drydock.yaml", "drydock: 1\nstages: [{ exec: [/bin/true] }]\n")
        ours, theirs = os.pipe()
        os.close(ours)
        with os.fdopen(theirs, "wb") as pipe:
            self.assertEqual(self.drydock_into(pipe, "plan", code=0), "")


class RefusalsAsJson(OutputCase):
    """A program that asked for a document gets one, whatever is wrong with its command line."""

    def test(self):
        for arguments in (["plan", "--json", "--bogus"], ["rnu", "--json"], ["logs", "--json"],
                          ["backups", "--json"], ["show", "x", "--json"]):
            done = subprocess.run([DRYDOCK, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, timeout=60, cwd=self.dir)
            self.assertEqual(done.returncode, 2, done.stderr)
            document = json.loads(done.stdout)
            self.assertEqual(document["exit_code"], 2)
            self.assertEqual(done.stderr, f"drydock: {document['error']}\n")


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
