#!/usr/bin/env python3
"""A deployment that was copied or moved with its state, one whose state somebody removed, and a state
folder that two share: nothing is ever changed that nobody has named."""
import os
import shutil
import subprocess
import sys
import unittest

from case import DRYDOCK, Case

PIPELINE = """
drydock: 1
name: sample
vars: { end: { default: "true" } }
stages:
  - uses: backup
    with: { files: [data] }
  - id: change
    uses: exec
    with:
      command: [/bin/sh, -c, "echo new > data"]
      rollback: [/bin/true]
  - id: end
    uses: exec
    with: { command: [/bin/sh, -c, "${{ vars.end }}"], rollback: [/bin/true] }
"""
KILL = "kill -9 $(cut -d ' ' -f 4 /proc/$PPID/stat)"  # the runner


class CopiedCase(Case):
    def setUp(self):
        super().setUp()
        self.place = self.dir
        self.dir = self.path("one")
        os.mkdir(self.dir)
        self.write("drydock.yaml", PIPELINE)
        self.write("data", "old\n")

    def beside(self, name):
        return os.path.join(self.place, name)

    def of(self, folder, *arguments, code):
        done = subprocess.run([DRYDOCK, "-C", folder, *arguments], stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        self.assertEqual(done.returncode, code, done.stdout)
        return done.stdout


class CopiedDeployment(CopiedCase):
    """What is asked of a copy never reaches the one that it was made of."""

    def test(self):
        self.drydock("run", "--yes", code=0)
        copy = self.beside("two")
        shutil.copytree(self.dir, copy)
        for command in (["rollback", "--yes", "--accept-loss"], ["plan", "--rollback"], ["resume", "--yes"],
                        ["run", "--yes"], ["plan"]):
            output = self.of(copy, *command, code=2)
            self.assertIn(f"{self.dir}", output)
            self.assertIn("where this is a copy of it, move", output)
            self.assertNotIn("--state-dir " + copy, output)
        self.assertEqual(self.read("data"), "new\n")
        self.assertIn("  done", self.drydock("status", code=0))
        # As it is told to: the copy begins anew, and the other one can still be undone.
        os.rename(copy + "/.drydock", copy + "/aside")
        self.of(copy, "run", "--yes", code=0)
        self.drydock("rollback", "--yes", "--accept-loss", code=0)
        self.assertEqual(self.read("data"), "old\n")
        with open(copy + "/data", encoding="utf-8") as data:
            self.assertEqual(data.read(), "new\n")


class MovedDeployment(CopiedCase):
    """One that was moved after its run was killed is put back where its old name leads to it."""

    def test(self):
        self.drydock("run", "--yes", "--var", "end=" + KILL, code=-9)
        moved = self.beside("two")
        os.rename(self.dir, moved)
        output = self.of(moved, "rollback", "--yes", code=2)
        self.assertIn("ln -s ", output)
        # The run is left as it was: nothing that could not be repeated was tried.
        self.of(moved, "status", code=4)
        subprocess.run(["/bin/sh", "-c", output[output.index("ln -s "):]], check=True)
        self.of(moved, "rollback", "--yes", code=0)
        self.assertEqual(self.read("data"), "old\n")


class SharedStateFolder(CopiedCase):
    """Two deployments with one --state-dir: the second is refused it."""

    def test(self):
        state = ["--state-dir", self.beside("state")]
        other = self.beside("two")
        shutil.copytree(self.dir, other)
        self.drydock("run", "--yes", *state, code=0)
        pipeline = other + "/drydock.yaml"
        self.assertIn("use another --state-dir", self.of(other, "run", pipeline, "--yes", *state, code=2))
        self.of(other, "rollback", "--yes", "--accept-loss", *state, code=2)
        self.assertEqual(self.read("data"), "new\n")
        # Through another name it is the same deployment.
        os.symlink(self.dir, self.beside("link"))
        self.of(self.beside("link"), "rollback", "--yes", "--accept-loss", *state, code=0)
        self.assertEqual(self.read("data"), "old\n")


class StateRemovedInARun(CopiedCase):
    """Nobody is told that something is kept which is gone."""

    def test(self):
        output = self.drydock("run", "--yes", "--var", "end=rm -rf .drydock; exit 1", code=3)
        self.assertIn("files of the deployment as they were (no longer there)", output)


class NameIsNoUtf8(CopiedCase):
    """Said before anything is made, and in one sentence."""

    def test(self):
        odd = os.fsencode(self.place) + b"/od\xffd"
        os.rename(self.dir, odd)
        for command in (["init"], ["run", "--yes"], ["status"]):
            done = subprocess.run([DRYDOCK, "-C", odd, *command], stdin=subprocess.DEVNULL, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
            self.assertEqual(done.returncode, 2, done.stdout)
            self.assertIn("od\\xffd has a name that is no UTF-8", done.stdout)
            self.assertNotIn("exception", done.stdout)
        self.assertFalse(os.path.exists(odd + b"/.drydock"))


class NameWithALineEnd(CopiedCase):
    """The command that is printed can be pasted, and no screen is written into by a folder's name."""

    def test(self):
        odd = self.beside("o'd\n\x1b[31md")
        os.rename(self.dir, odd)
        self.dir = odd
        self.drydock("run", "--yes", "--var", "end=" + KILL, code=-9)
        output = self.drydock("status", code=4)
        self.assertNotIn("\x1b", output)
        command = output.split("put everything back with:\n    drydock ")[1].split("\n")[0]
        subprocess.run(["bash", "-c", f"\"$0\" {command} --yes", DRYDOCK], check=True,
                       stdout=subprocess.DEVNULL)
        self.assertEqual(self.read("data"), "old\n")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"] + sys.argv[1:])
