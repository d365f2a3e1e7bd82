#!/usr/bin/env python3
"""SIGKILL of Drydock, of its worker and of git while a git checkout is switched to a release, or back.

EVERY says which of the calls that change a file are tried: every one, or each so manieth.
"""
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import tempfile
import unittest

from case import DRYDOCK, Case
from matrix import Control

PIPELINE = """
drydock: 1
name: switch
stages:
  - uses: source
    with: { git: { ref: "2.0" } }
"""
EVERY = int(os.environ.get("EVERY", "1"))


class GitCase(Case):
    """A clone of release 1.0, with a change of the operator's; the repository has 2.0 by now."""

    def setUp(self):
        super().setUp()
        beside = tempfile.TemporaryDirectory(prefix="drydock-fault-git-")
        self.addCleanup(beside.cleanup)
        self.place = pathlib.Path(beside.name)
        self.control = Control(self.place / "control")
        self.environment = {**os.environ, "LD_PRELOAD": os.environ["FAULT_SHIM"],
                            "DRYDOCK_FAULT": str(self.control.path)}
        self.upstream, self.clone = os.path.join(self.dir, "upstream"), os.path.join(self.dir, "clone")
        self.git(self.dir, "init", "--quiet", self.upstream)
        self.release("1.0", {"docker/app.conf": "top\n" + "line\n" * 9 + "end 1\n", "docker/old/gone": "1\n",
                             "docker/start": "1\n", "src/app": "1\n"})
        self.git(self.dir, "clone", "--quiet", "--no-local", self.upstream, self.clone)
        shutil.rmtree(os.path.join(self.upstream, "docker/old"))
        self.release("2.0", {"docker/app.conf": "top\n" + "line\n" * 9 + "end 2\n", "docker/new/deep": "2\n",
                             "docker/start": "2\n", "src/app": "2\n"})
        self.dir = os.path.join(self.clone, "docker")
        self.write("app.conf", "mine\n" + "line\n" * 9 + "end 1\n")
        self.write("drydock.yaml", PIPELINE)
        self.write(".env", "SECRET=mine\n")
        self.before = self.look()
        self.keep("at-run")
        self.drydock("run", "--yes", code=0)
        self.done = self.look()
        self.assertEqual(self.git(self.clone, "status", "--porcelain", "--untracked-files=no"),
                         " M docker/app.conf\n")
        self.keep("at-rollback")

    def git(self, folder, *arguments):
        settings = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
        return subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout

    def release(self, tag, files):
        for name, text in files.items():
            path = pathlib.Path(self.upstream, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git(self.upstream, "add", "--all")
        self.git(self.upstream, "commit", "--quiet", "-m", tag)
        self.git(self.upstream, "tag", tag)

    def keep(self, name):
        subprocess.run(["cp", "-a", self.clone, self.place / name], check=True)

    def look(self):
        """Files with mode and time; HEAD, index and tags; that no lock stands in git's way."""
        found = {}
        for folder, folders, files in os.walk(self.clone):
            folders[:] = [name for name in folders if name not in (".git", ".drydock")]
            for name in [*folders, *files]:
                path = pathlib.Path(folder, name)
                status = path.lstat()
                is_file = stat.S_ISREG(status.st_mode)
                found[str(path)] = (oct(status.st_mode), path.read_bytes() if is_file else b"")
        repository = pathlib.Path(self.clone, ".git")
        found["HEAD"] = (repository / "HEAD").read_text()
        found["index"] = self.git(self.clone, "ls-files", "--stage")
        found["refs"] = self.git(self.clone, "for-each-ref")
        found["locks"] = sorted(str(path) for path in repository.rglob("*.lock"))
        found["left"] = sorted(str(path) for path in repository.rglob("*.drydock-*"))
        return found

    def assert_as(self, *wanted, said=""):
        found = self.look()
        if found in wanted:
            return
        other = [name for name in found.keys() | wanted[0].keys() if found.get(name) != wanted[0].get(name)]
        self.fail("\n".join(f"{name} was {wanted[0].get(name)}, is {found.get(name)}" for name in other) + said)

    def reset(self, name):
        shutil.rmtree(self.clone)
        subprocess.run(["cp", "-a", self.place / name, self.clone], check=True)

    def faulty(self, command, program, at):
        self.reset(f"at-{command}")
        self.control.arm(self.clone, program, "kill" if at else None, at)
        words = [command, "--yes"] + (["--accept-loss"] if command == "rollback" else [])
        return subprocess.run([DRYDOCK, "-C", self.dir, *words], env=self.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=60)

    def killed_everywhere(self, command, program, judge):
        ended = self.faulty(command, program, 0)
        self.assertEqual(ended.returncode, 0, ended.stdout)
        calls = self.control.state()["calls"]
        self.assertGreater(calls, 0)
        for at in range(1 + EVERY // 2 % calls, calls + 1, EVERY):
            with self.subTest(program=program, at=at):
                ended = self.faulty(command, program, at)
                if self.control.state()["hit"]:
                    judge(ended, at)
                self.assertEqual(self.git(self.clone, "fsck", "--no-dangling"), "")


class KilledInASwitch(GitCase):
    def judge_worker(self, ended, at):
        """The runner lives on, and puts everything back; or refuses, before anything is changed. Where
        git was only sparing itself work, the run goes on."""
        if ended.returncode == 0:
            self.assert_as(self.done)
            return
        self.assertIn(ended.returncode, (1, 2), ended.stdout)
        self.assert_as(self.before, said=ended.stdout)
        self.drydock("run", "--yes", code=0)
        self.assert_as(self.done)

    def test_worker(self):
        self.killed_everywhere("run", "drydock-stage", self.judge_worker)

    def test_git(self):
        self.killed_everywhere("run", "git", self.judge_worker)

    def test_runner(self):
        def judge(ended, at):
            self.assertEqual(ended.returncode, -signal.SIGKILL, ended.stdout)
            state = subprocess.run([DRYDOCK, "-C", self.dir, "status"], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, check=False).returncode
            if state == 4 and at % 2 == 0:
                self.drydock("rollback", "--yes", "--accept-loss", code=0)
            elif state == 4:
                resumed = subprocess.run([DRYDOCK, "-C", self.dir, "resume", "--yes"], text=True,
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
                self.assertIn(resumed.returncode, (0, 2), resumed.stdout)
                if resumed.returncode == 2:  # it had not begun
                    self.drydock("rollback", "--yes", "--accept-loss", code=0)
            self.assert_as(self.before, self.done)

        self.killed_everywhere("run", "drydock", judge)


class KilledInTheWayBack(GitCase):
    def judge(self, ended, at):
        self.assertIn(ended.returncode, (0, 2, 3), ended.stdout)
        if ended.returncode != 0:
            self.drydock("rollback", "--yes", "--accept-loss", code=0)
        self.assert_as(self.before, said=ended.stdout)

    def test_worker(self):
        self.killed_everywhere("rollback", "drydock-stage", self.judge)

    def test_git(self):
        self.killed_everywhere("rollback", "git", self.judge)


if __name__ == "__main__":
    unittest.main()
