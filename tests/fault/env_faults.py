#!/usr/bin/env python3
"""What stands in the place of `.env` is no file that can be read: before a plan, between the plan
and the run, and in the middle of a run."""
import ctypes
import os
import shutil
import subprocess
import sys
import unittest

from case import Case, Terminal

OLD_ENV = "# mine\nA=1\n"
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2

SYNC = "  - uses: env-sync\n"
FAIL = "  - { id: last, uses: exec, with: { command: [/bin/false] } }\n"
REPLACE = "  - {{ id: replace, uses: exec, with: {{ command: [/bin/sh, -c, '{}'] }} }}\n"

# What is put there, in a shell; and what a sentence about it says. Docker Compose would wait for the
# pipe for ever.
REFUSED = {
    "rm .env; ln -s .env .env": "Too many levels of symbolic links",
    "rm .env; mkfifo .env": "no regular file",
    "chmod 000 .env": "Permission denied",
}
# Docker Compose takes these for no `.env`.
NONE = {
    "rm .env; mkdir .env": "a folder",
    "rm .env; ln -s nowhere .env": "",
    "rm .env; ln -s no/where .env": "",
}


def obey_modes():
    """Of a child: root, too, reads only what its mode allows."""
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


class EnvCase(Case):
    def setUp(self):
        super().setUp()
        self.write(".env.example", "A=1\nB=2\n")
        self.renew("")

    def renew(self, stages):
        """A deployment on which nothing was ever run."""
        shutil.rmtree(self.path(".drydock"), ignore_errors=True)
        self.clear()
        self.write(".env", OLD_ENV)
        self.write("drydock.yaml", "drydock: 1\nname: env\nstages:\n" + stages)

    def clear(self):
        path = self.path(".env")
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        elif os.path.lexists(path):
            os.unlink(path)

    def put(self, script):
        self.assertEqual(subprocess.run(["/bin/sh", "-c", script], cwd=self.dir).returncode, 0)

    def look(self):
        status = os.lstat(self.path(".env"))
        return status.st_mode, status.st_ino

    def drydock(self, *arguments, code):
        return super().drydock(*arguments, code=code, preexec_fn=obey_modes)

    def assert_old(self):
        self.assertFalse(os.path.islink(self.path(".env")))
        self.assertEqual(self.read(".env"), OLD_ENV)

    def refused(self, *arguments, because):
        output = self.drydock(*arguments, code=2).splitlines()
        self.assertIn(self.dir + "/.env", output[-1])
        self.assertIn(because, output[-1])


class EnvOddBeforeAPlan(EnvCase):
    def test(self):
        for stages in (SYNC, FAIL):
            for script, because in REFUSED.items():
                with self.subTest(script, stages=stages):
                    self.renew(stages)
                    self.put(script)
                    before = self.look()
                    for command in (["plan"], ["run", "--yes"], ["init"]):
                        if stages == FAIL or command != ["init"]:
                            self.refused(*command, because=because)
                    self.assertIn(because, self.drydock("status", code=0))
                    self.assertEqual(self.look(), before)
                    self.assertFalse(os.path.exists(self.path(".drydock/journal.db")))


class EnvMissingBeforeAPlan(EnvCase):
    """What Compose takes for none is none, unless it is in the way of a stage; and it stays."""

    def test(self):
        for script, because in NONE.items():
            with self.subTest(script):
                self.renew(FAIL)
                self.put(script)
                before = self.look()
                self.drydock("plan", code=0)
                self.drydock("run", "--yes", code=1)
                self.assertEqual(self.look(), before)
            with self.subTest(script, stage="env-sync"):
                self.renew(SYNC + FAIL)
                self.put(script)
                before = self.look()
                if because:
                    self.refused("run", "--yes", because=because)
                else:
                    self.assertIn("rolled back and verified", self.drydock("run", "--yes", code=1))
                self.assertEqual(self.look(), before)
                self.assertFalse(os.path.exists(self.path(".env")) and not because)


class EnvOddAfterAnAnswer(EnvCase):
    """It was read for the plan, and cannot be kept for a rollback when the run is to begin."""

    def test(self):
        for script, because in REFUSED.items():
            with self.subTest(script):
                self.renew(FAIL)
                terminal = Terminal(self, "run", before_exec=obey_modes)
                terminal.read_until("Go ahead?")
                self.put(script)
                before = self.look()
                terminal.type("y\n")
                self.assertEqual(terminal.process.wait(60), 2)
                terminal.read_until(because)
                self.assertEqual(self.look(), before)
                self.drydock("status", code=0)
                self.assertNotIn("can be undone", self.drydock("history", code=0))


class EnvOddInARun(EnvCase):
    """Replaced behind the back of the stage that had changed it. What is in the way is named, and
    once it is gone all is put back."""

    def test(self):
        for script in [*REFUSED, *NONE]:
            with self.subTest(script):
                self.renew(SYNC + REPLACE.format(script) + FAIL)
                output = self.drydock("run", "--yes", code=1 if "chmod" in script else 3)
                if "chmod" not in script:
                    self.assertRegex(output, r"env-sync: .*\.env")
                    self.clear()
                    self.drydock("rollback", "--yes", code=0)
                self.assert_old()
                self.drydock("status", code=0)


class EnvGoneBeforeItsStage(EnvCase):
    """Replaced by a stage that puts nothing back, before any other has kept it: Drydock has."""

    def test(self):
        for script in [*REFUSED, *NONE]:
            with self.subTest(script):
                self.renew(REPLACE.format(script) + SYNC + FAIL)
                output = self.drydock("run", "--yes", code=3)
                self.assertIn(".env", output)
                self.assertIn("/.drydock/backups/1", output)
                self.assertEqual(self.read(".drydock/backups/1/env-before"), OLD_ENV)
                self.clear()
                shutil.copyfile(self.path(".drydock/backups/1/env-before"), self.path(".env"))
                self.drydock("rollback", "--yes", code=0)
                self.assert_old()


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "--verbose", *sys.argv[1:]])
