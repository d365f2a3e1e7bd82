#!/usr/bin/env python3
"""What becomes of a rollout when whoever carries it out, or a run of it, is killed. The stages say
through FIFOs that they have begun, and wait on others. Run by ctest, one class a test."""
import json
import os
import resource
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import unittest

from case import DRYDOCK, PIPELINE, Case, Terminal

ROLLOUT = """
drydock: 1
rollout: faulty
pipeline: sample.yaml
environments:
  a: {{ dir: a }}
  b: {{ dir: b }}
waves:
  - {{ name: both, environments: all, parallel: {parallel} }}
{more}
"""


class RolloutCase(Case):
    pipeline = PIPELINE.replace("read line < go", 'read line < go; test \\"$line\\" != bad')
    more = ""
    parallel = 2

    def setUp(self):
        super().setUp()
        self.write("sample.yaml", self.pipeline)
        self.write("rollout.yaml", ROLLOUT.format(more=self.more, parallel=self.parallel))
        self.file = self.path("rollout.yaml")
        for name in "ab":
            os.mkdir(self.path(name))
            self.write(f"{name}/data", "old\n")
            self.fifo(f"{name}/begun")
            self.fifo(f"{name}/go")

    def begin(self):
        """Both environments are in their second stage; the pids of these."""
        process = self.start("rollout", "run", self.file, "--yes")
        return process, [int(self.read(f"{name}/begun")) for name in "ab"]

    def let_go(self, name, line="go"):
        with open(self.path(f"{name}/go"), "w", encoding="utf-8") as go:
            go.write(line + "\n")

    def runs_of(self, name):
        journal = sqlite3.connect(self.path(f"{name}/.drydock/journal.db"))
        try:
            return [state for (state,) in journal.execute("SELECT state FROM runs ORDER BY id")]
        finally:
            journal.close()

    def assert_alive(self, pid):
        os.kill(pid, 0)

    def ended(self, process, code):
        output = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, code, output)
        return output


class RolloutSupervisorKilled(RolloutCase):
    def test(self):
        process, pids = self.begin()
        self.kill(process)
        for pid in pids:
            self.assert_alive(pid)
        self.assertIn("left in the wave 'both'", self.drydock("rollout", "status", self.file, code=4))
        self.assertIn("rollout resume", self.drydock("rollout", "run", self.file, "--yes", code=4))
        again = self.start("rollout", "resume", self.file)
        for name in "ab":
            self.let_go(name)
        output = self.ended(again, 0)
        self.assertEqual(output.count("found again"), 2, output)
        self.assertNotIn("has been changed", output)
        for name in "ab":
            self.assertEqual(self.read(f"{name}/data"), "new\n")
            self.assertEqual(self.runs_of(name), ["done"])


class RolloutRunsEndMeanwhile(RolloutCase):
    """One ends well and one fails while nobody looks: both ends are read from what they left."""

    def test(self):
        process, _ = self.begin()
        self.kill(process)
        self.let_go("a")
        self.let_go("b", "bad")
        for name, code in (("a", 0), ("b", 1)):
            subprocess.run([DRYDOCK, "-C", self.path(name), "attach"], stdout=subprocess.DEVNULL,
                           timeout=60, check=False)
            self.assertEqual(len(self.runs_of(name)), 1, code)
        output = self.drydock("rollout", "resume", self.file, code=1)
        self.assertIn("1 of 2 environments failed", output)
        self.assertEqual(self.runs_of("b"), ["rolled_back"])
        self.assertEqual(self.read("b/data"), "old\n")


class RolloutRolledBackMeanwhile(RolloutCase):
    """A run that ended well and was rolled back by hand while nobody looked has upgraded nothing."""

    def test(self):
        process, _ = self.begin()
        self.kill(process)
        for name in "ab":
            self.let_go(name)
            subprocess.run([DRYDOCK, "-C", self.path(name), "attach"], stdout=subprocess.DEVNULL,
                           timeout=60, check=False)
        subprocess.run([DRYDOCK, "-C", self.path("a"), "rollback", "--yes", "--accept-loss"], check=True,
                       stdout=subprocess.DEVNULL, timeout=60)
        self.assertEqual(self.runs_of("a"), ["rolled_back"])
        output = " ".join(self.drydock("rollout", "resume", self.file, code=1).split())
        self.assertIn("1 of 2 environments failed", output)
        self.assertIn("it was rolled back by hand", output)


class RolloutLeftBySignal(RolloutCase):
    def test(self):
        process, pids = self.begin()
        process.send_signal(signal.SIGINT)
        self.assertIn("a, b go on by themselves", self.ended(process, 4))
        for pid in pids:
            self.assert_alive(pid)
        again = self.start("rollout", "resume", self.file)
        for name in "ab":
            self.let_go(name)
        self.ended(again, 0)


class RolloutLeftWithSudo(RolloutCase):
    """A user's supervisor cannot kill what sudo has made root's: it does not wait for that, and what
    follows the runs ends by itself."""
    nobody = 65534

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("sudo's place can be taken by root alone")
        self.write("rollout.yaml", self.read("rollout.yaml").replace("environments:", "defaults: { sudo: true }\nenvironments:", 1))
        # As sudo does: all of the user's ids are root's then.
        os.mkdir(self.path("bin"))
        shutil.copy(shutil.which("setpriv"), self.path("bin/becomes-root"))
        os.chmod(self.path("bin/becomes-root"), 0o4755)
        self.write("bin/sudo", """#!/bin/sh
[ "$1 $2" = "-n --" ] || exit 9
shift 2
exec "${0%/*}/becomes-root" --reuid 0 --regid 0 --clear-groups -- "$@"
""")
        os.chmod(self.path("bin/sudo"), 0o755)
        os.chmod(self.dir, 0o755)
        os.mkdir(self.path("home"))
        for name in (".", "home", "rollout.yaml", "sample.yaml"):
            os.chown(self.path(name), self.nobody, self.nobody)
        self.environment = {**os.environ, "PATH": self.path("bin") + ":" + os.environ["PATH"],
                            "HOME": self.path("home"), "XDG_CACHE_HOME": self.path("home")}
        self.environment.pop("XDG_RUNTIME_DIR", None)
        if self.as_nobody("sudo", "-n", "--", "id", "-u").communicate()[0] != "0\n":
            self.skipTest("a file here makes nobody root")

    def as_nobody(self, *words):
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                   stderr=subprocess.STDOUT, env=self.environment, cwd=self.dir,
                                   user=self.nobody, group=self.nobody, extra_groups=[])
        self.addCleanup(lambda: (process.kill(), process.wait(), process.stdout.close()))
        return process

    def followers(self):
        return [pid for pid in os.listdir("/proc") if pid.isdigit()
                and self.dir.encode() in command_of(pid) and b"--follow" in command_of(pid)
                and b"becomes-root" not in command_of(pid)]

    def test(self):
        process = self.as_nobody(DRYDOCK, "rollout", "run", self.file, "--yes")
        pids = [int(self.read(f"{name}/begun")) for name in "ab"]
        for _ in "ab":
            for line in process.stdout:
                if "started" in line:
                    break
        process.send_signal(signal.SIGINT)
        self.assertIn("a, b go on by themselves", " ".join(self.ended(process, 4).split()))
        for pid in self.followers():
            self.assert_gone(int(pid))
        for pid in pids:
            self.assert_alive(pid)
        again = self.as_nobody(DRYDOCK, "rollout", "resume", self.file)
        for name in "ab":
            self.let_go(name)
        self.ended(again, 0)


class RolloutTwoSupervisors(RolloutCase):
    def test(self):
        process, _ = self.begin()
        for action in (("run", "--yes"), ("resume",)):
            output = self.drydock("rollout", action[0], self.file, *action[1:], code=4)
            self.assertIn(f"process {process.pid} of", output)
        for name in "ab":
            self.let_go(name)
        self.ended(process, 0)


class RolloutRunnerKilled(RolloutCase):
    """The runner of one environment dies: that one needs a person, by name."""

    def test(self):
        process, pids = self.begin()
        worker = parent_of(pids[0])
        os.kill(parent_of(worker), signal.SIGKILL)
        self.let_go("b")
        output = self.ended(process, 3)
        self.assertIn("run 1 ended without having told how", " ".join(output.split()))
        self.assertIn("status", output)
        subprocess.run([DRYDOCK, "-C", self.path("a"), "rollback", "--yes"], check=True,
                       stdout=subprocess.DEVNULL, timeout=60)
        self.assertEqual(self.read("a/data"), "old\n")
        again = self.start("rollout", "resume", self.file, "--retry", "failed")
        self.read("a/begun")
        self.let_go("a")
        self.ended(again, 0)
        self.assertEqual(self.runs_of("a"), ["rolled_back", "done"])
        self.assertEqual(self.runs_of("b"), ["done"])


class RolloutLogWithoutAnEnd(RolloutCase):
    """What is written from now on is in no log that anybody finds: how the runs ended is in their
    journals."""
    parallel = "2, max_failures: 1"

    def test(self):
        process, _ = self.begin()
        self.kill(process)
        for name in "ab":
            lose_the_rest(self.path(f"{name}/.drydock/logs/1/events.jsonl"))
        again = self.start("rollout", "resume", self.file)
        self.let_go("a")
        self.let_go("b", "bad")
        output = " ".join(self.ended(again, 1).split())
        self.assertIn("a: done", output)
        self.assertIn("b: failed and rolled back", output)
        found = json.loads(self.drydock("rollout", "history", "--json", code=0))
        self.assertEqual(sorted(each["state"] for each in found["runs"]), ["done", "rolled_back"])


class RolloutLogGone(RolloutCase):
    """It cannot be followed, and goes on: it is looked at until it has ended."""

    def test(self):
        process, _ = self.begin()
        self.kill(process)
        os.remove(self.path("a/.drydock/logs/1/events.jsonl"))
        again = self.start("rollout", "resume", self.file)
        self.let_go("b")
        for line in again.stdout:
            if "b: done" in line:
                break
        self.let_go("a")
        self.assertIn("has passed: 2 done", " ".join(self.ended(again, 0).split()))


class RolloutCancelsOnBudget(RolloutCase):
    more = "on_budget: cancel"

    def test(self):
        process, _ = self.begin()
        self.let_go("a", "bad")
        output = self.ended(process, 1)
        self.assertIn("b: cancelled and rolled back", output)
        self.assertEqual(self.runs_of("a"), ["rolled_back"])
        self.assertEqual(self.runs_of("b"), ["cancelled"])
        for name in "ab":
            self.assertEqual(self.read(f"{name}/data"), "old\n")


class RolloutWayBackKilled(RolloutCase):
    """The supervisor dies while a wave is put back: the rollback goes on, and is found again."""
    more = "on_failure: rollback-wave"

    def test(self):
        self.fifo("a/hold")
        process, _ = self.begin()
        self.let_go("a")
        self.read_until(process, "a: done")
        self.let_go("b", "bad")
        hold = os.open(self.path("a/hold"), os.O_WRONLY)  # returns when a's rollback has begun to read
        self.assertIn("a: being rolled back (run 1)", self.drydock("rollout", "status", self.file, code=0))
        self.kill(process)
        os.write(hold, b"go\n")
        os.close(hold)
        os.remove(self.path("a/hold"))  # or a rollback that is begun again would wait for another line
        output = self.drydock("rollout", "resume", self.file, code=1)
        self.assertIn("1 of 2 environments failed in the wave 'both'", " ".join(output.split()))
        self.assertIn("a: rolled back", output)
        for name in "ab":
            self.assertEqual(self.read(f"{name}/data"), "old\n")
            self.assertEqual(self.runs_of(name), ["rolled_back"])
            self.assertEqual(self.read(f"{name}/undone"), "wait\nchange\n")

    def read_until(self, process, text):
        for line in process.stdout:
            if text in line:
                return
        self.fail(f"it ended without '{text}'")


class RolloutRollbackLeft(RolloutCase):
    """Who puts a wave back is ended while a rollback works: what is left of it is to be done still, is
    said so, and `rollout resume` does it."""
    parallel = 1

    def leave(self, process):
        process.send_signal(signal.SIGINT)

    def left(self, process):
        self.assertIn("was left while the wave 'both' was being put back; 1 environment of it still to come. Go "
                      "on with: drydock rollout resume", self.ended(process, 4))

    def test(self):
        process = self.start("rollout", "run", self.file, "--yes")
        for name in "ab":
            self.read(f"{name}/begun")
            self.let_go(name)
        self.ended(process, 0)
        self.fifo("b/hold")
        process = self.start("rollout", "rollback", self.file, "--yes", "--accept-loss")
        hold = os.open(self.path("b/hold"), os.O_WRONLY)  # returns when b's rollback has begun to read
        self.assertIn("puts the wave 'both' back", self.drydock("rollout", "status", self.file, code=0))
        self.leave(process)
        os.remove(self.path("b/hold"))  # or a rollback that is begun again would wait for another line
        os.write(hold, b"go\n")
        os.close(hold)
        self.left(process)
        status = self.drydock("rollout", "status", self.file, code=4)
        self.assertIn("was left while the wave 'both' was being put back", status)
        self.assertIn("go on:   drydock rollout resume", status)
        self.assertIn("is being put back; go on with that first",
                      self.drydock("rollout", "resume", self.file, "--retry", "failed", code=2))
        self.assertIn("has not ended; go on with", self.drydock("rollout", "run", self.file, "--yes", code=4))
        self.write("sample.yaml", "# what was there before needs no pipeline\n" + self.pipeline)
        output = self.drydock("rollout", "resume", self.file, code=0)
        self.assertIn("the wave 'both' was put back by", output)
        self.assertIn("2 rolled back", output)
        for name in "ab":
            self.assertEqual(self.read(f"{name}/data"), "old\n")
            self.assertEqual(self.runs_of(name), ["rolled_back"])
            self.assertEqual(self.read(f"{name}/undone"), "wait\nchange\n")
        self.assertIn("has failed: the wave 'both' was put back", self.drydock("rollout", "status", self.file, code=1))


class RolloutRollbackKilled(RolloutRollbackLeft):
    def leave(self, process):
        self.kill(process)

    def left(self, process):
        self.assertEqual(process.returncode, -signal.SIGKILL)


class RolloutsWithOneName(RolloutCase):
    """Two files of a folder with the same name: each shows its own rollout, and the second is not begun."""
    pipeline = 'drydock: 1\nname: quick\nstages: [{ uses: exec, with: { command: ["true"] } }]\n'

    def test(self):
        text = self.read("rollout.yaml")
        self.write("rollout.yaml", text.replace("parallel: 2", "parallel: 2, approve: true"))
        other = self.path("other.yaml")
        self.write("other.yaml", text.replace("name: both", "name: of-other"))
        self.drydock("rollout", "run", self.file, "--yes", "--until", "approval", code=6)
        output = self.drydock("rollout", "run", other, "--yes", "--abandon", code=2)
        self.assertIn("other.yaml: rollout: found 'faulty', which is the name of " + self.file, output)
        # One that has another name by now stands in nobody's way; but what was begun has the name still.
        self.write("rollout.yaml", self.read("rollout.yaml").replace("rollout: faulty", "rollout: mine"))
        output = self.drydock("rollout", "run", other, "--yes", code=4)
        self.assertIn(f"-C {shlex.quote(self.dir)} rollout resume faulty`".replace("'\"'\"'", "'\\''"), output)
        self.drydock("rollout", "approve", self.file, "--wave", "both", code=0)
        self.assertIn("has passed", self.drydock("rollout", "resume", "faulty", code=0))
        self.assertIn("has passed", self.drydock("rollout", "run", other, "--yes", code=0))
        for file, wave, wrong in ((self.file, "both", "of-other"), (other, "of-other", "both")):
            status = self.drydock("rollout", "status", file, code=0)
            self.assertIn(f"wave {wave}:", status)
            self.assertNotIn(f"wave {wrong}:", status)
        # Runs of the other one came after its own.
        output = self.drydock("rollout", "rollback", self.file, "--yes", "--accept-loss", code=3)
        self.assertIn("wave both is put back", output)
        self.assertIn("roll back run 2 first", " ".join(output.split()))
        self.assertIn("the wave 'both' was put back by", self.drydock("rollout", "status", self.file, code=3))
        self.assertIn("has passed", self.drydock("rollout", "status", other, code=0))


class Checkouts(RolloutCase):
    """Each environment is a checkout at 1.0, with an origin of its own that has 2.0."""
    pipeline = """
drydock: 1
name: checkout
stages:
  - { uses: source, with: { git: { ref: "2.0" } } }
  - { uses: exec, with: { shell: true, command: "echo ${{ promoted.source.commit ?? 'nothing' }} > ../told-by-${PWD##*/}" } }
"""
    of_b = "new"

    def setUp(self):
        Case.setUp(self)
        self.write("sample.yaml", self.pipeline)
        self.file = self.path("rollout.yaml")
        for name in "abc":
            self.git("init", "-q", "-b", "main", self.path(f"origin-{name}"))
            self.release(name, "1.0", "old")
            self.git("clone", "-q", self.path(f"origin-{name}"), self.path(name))
            self.release(name, "2.0", self.of_b if name == "b" else "new")
        waves = "\n".join(f"  - {{ name: {name}, environments: {list(members)} }}"
                          for name, members in self.waves.items())
        self.write("rollout.yaml", "drydock: 1\nrollout: faulty\npipeline: sample.yaml\nenvironments:\n"
                   + "".join(f"  {name}: {{ dir: {name} }}\n" for name in "abc") + f"waves:\n{waves}\n")

    def git(self, *words):
        always = {"DATE": "2026-01-01T00:00:00Z", "NAME": "a", "EMAIL": "a@b"}
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
        for who in ("AUTHOR", "COMMITTER"):
            environment.update({f"GIT_{who}_{key}": value for key, value in always.items()})
        return subprocess.run(["git", *words], check=True, env=environment, text=True, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.strip()

    def release(self, name, tag, text):
        origin = self.path(f"origin-{name}")
        self.write(f"origin-{name}/app.txt", text + "\n")
        for words in (("add", "app.txt"), ("commit", "-qm", tag), ("tag", tag)):
            self.git("-C", origin, *words)


class RolloutPromotes(Checkouts):
    """Later waves are told what those before them were upgraded to."""
    waves = {"canary": "ab", "rest": "c"}

    def test(self):
        self.drydock("rollout", "run", self.file, "--yes", code=0)
        commit = self.git("-C", self.path("a"), "rev-parse", "HEAD")
        self.assertEqual(self.read("told-by-b"), "nothing\n", "its wave had not passed")
        self.assertEqual(self.read("told-by-c"), commit + "\n")


class RolloutPromotesWithoutALog(Checkouts):
    """What a run has promoted is in its journal, too."""
    waves = {"canary": "a", "rest": "b"}
    pipeline = Checkouts.pipeline + """  - { uses: exec, when: "${{ promoted.source.commit == null }}", with: { command: [/bin/sh, -c, "echo $$ > ../begun; read line < ../go"] } }
"""

    def test(self):
        process = self.start("rollout", "run", self.file, "--yes")
        self.read("begun")
        self.kill(process)
        log = self.path("a/.drydock/logs/1/events.jsonl")
        os.truncate(log, 0)
        lose_the_rest(log)
        subprocess.run(["rm", "-rf", self.path(".drydock/rollouts/faulty/logs")], check=True)
        again = self.start("rollout", "resume", self.file)
        self.let_go_on()
        self.ended(again, 0)
        self.assertEqual(self.read("told-by-b"), self.git("-C", self.path("a"), "rev-parse", "HEAD") + "\n")


class RolloutDisagreement(Checkouts):
    """The tag is another commit in one environment: nothing more is started."""
    waves = {"canary": "ab", "rest": "c"}
    of_b = "other"

    def test(self):
        for action in (("run", "--yes"), ("resume",)):
            output = " ".join(self.drydock("rollout", action[0], self.file, *action[1:], code=1).split())
            self.assertIn("has failed: in the wave 'canary' environments disagree about source.commit: 'a' has",
                          output)
        self.assertEqual(self.read("c/app.txt"), "old\n")


class RolloutLaterWaveDisagrees(RolloutDisagreement):
    waves = {"canary": "a", "other": "b", "rest": "c"}

    def test(self):
        output = " ".join(self.drydock("rollout", "run", self.file, "--yes", code=1).split())
        self.assertIn("wave canary has passed", output)
        self.assertIn("in the wave 'other' environments disagree", output)
        self.assertEqual(self.read("c/app.txt"), "old\n")


class RolloutFewOpenFiles(Case):
    """Far fewer files than all of its environments at once would need: those that cannot be begun wait for
    others to end. Each has the limit that the rollout was called with."""
    limits = (64, 64)
    count = 24

    def setUp(self):
        super().setUp()
        self.write("sample.yaml", """
drydock: 1
name: quick
stages:
  - { uses: exec, with: { shell: true, command: "ulimit -Sn > made" } }
""")
        names = [f"e{i}" for i in range(self.count)]
        for name in names:
            os.mkdir(self.path(name))
        self.write("rollout.yaml", "drydock: 1\nrollout: many\npipeline: sample.yaml\nenvironments:\n"
                   + "".join(f"  {name}: {{ dir: {name} }}\n" for name in names)
                   + f"waves: [{{ name: all, environments: all, parallel: {self.count} }}]\n")

    def test(self):
        output = self.drydock(
            "rollout", "run", self.path("rollout.yaml"), "--yes", code=0,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, self.limits))
        self.assertIn(f"has passed: {self.count} done", output)
        for i in range(self.count):
            self.assertEqual(self.read(f"e{i}/made"), f"{self.limits[0]}\n")


class RolloutMayHaveMoreFiles(RolloutFewOpenFiles):
    """The supervisor takes what it may have, and its runs do not get it."""
    limits = (64, 4096)


class RolloutNoFilesAtAll(RolloutFewOpenFiles):
    """Not one can be asked: nothing is begun."""
    count = 2

    def test(self):
        output = self.drydock("rollout", "run", self.path("rollout.yaml"), "--yes", code=2,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20)))
        self.assertIn("(Too many open files); raise the limits (`ulimit -n`, `ulimit -u`), or lower 'parallel:'",
                      output)
        self.assertIn("nothing was started", output)


class RolloutNoFilesLeft(RolloutCase):
    """Not one can be followed: that is this machine's failure, and none of an environment."""

    def test(self):
        process, pids = self.begin()
        self.kill(process)
        output = " ".join(self.drydock(
            "rollout", "resume", self.file, code=3,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))).split())
        self.assertIn("(Too many open files); raise the limits", output)
        self.assertIn("a, b go on by themselves. Go on with: drydock rollout resume", output)
        for pid in pids:
            self.assert_alive(pid)
        again = self.start("rollout", "resume", self.file)
        for name in "ab":
            self.let_go(name)
        self.assertIn("has passed: 2 done", self.ended(again, 0))


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


class RolloutPipelineChangedMeanwhile(RolloutCase):
    """What was begun is what every environment gets: one that would get another pipeline is refused."""
    parallel = 1

    def test(self):
        process = self.start("rollout", "run", self.file, "--yes")
        self.read("a/begun")
        self.write("sample.yaml", self.pipeline.replace("echo new", "echo other"))
        self.let_go("a")
        output = " ".join(self.ended(process, 1).split())
        self.assertIn("sample.yaml is another one than when the rollout 'faulty' was begun", output)
        self.assertEqual(self.read("a/data"), "new\n")
        self.assertEqual(self.read("b/data"), "old\n")


class RolloutResumedWithoutItsSecret(RolloutCase):
    """A run that is known needs nothing but to be followed; where nobody knows whether one was begun, a
    person has to look."""
    pipeline = RolloutCase.pipeline.replace("stages:", "secrets: { token: { env: FAULTY_TOKEN } }\nstages:")
    forgotten = "run = 0"

    def test(self):
        text = self.read("rollout.yaml").replace("dir: ", "secrets: { token: { env: FAULTY_TOKEN } }, dir: ")
        self.write("rollout.yaml", text)
        process = self.start("rollout", "run", self.file, "--yes",
                             env={**os.environ, "FAULTY_TOKEN": "a secret"})
        for name in "ab":
            self.read(f"{name}/begun")
        self.kill(process)
        state = sqlite3.connect(self.path(".drydock/rollouts.db"))
        with state:
            state.execute(f"UPDATE rollout_targets SET {self.forgotten} WHERE name = 'b'")
        state.close()
        again = self.start("rollout", "resume", self.file)
        self.let_go("a")
        output = " ".join(self.ended(again, 3).split())
        self.assertIn("a: done", output)
        self.assertIn("its run may go on: see", output)
        self.let_go("b")
        subprocess.run([DRYDOCK, "-C", self.path("b"), "attach"], check=True, stdout=subprocess.DEVNULL,
                       timeout=60)


class RolloutGivenUpAndResumedWithoutItsSecret(RolloutResumedWithoutItsSecret):
    """The same of one that was given up before its number was known."""
    forgotten = "run = 0, state = 'unreachable', exit_code = 3"


class RolloutSecretThatTakesItsTime(RolloutCase):
    """The command that delivers one environment's secret waits: the other one is upgraded meanwhile."""
    pipeline = RolloutCase.pipeline.replace("stages:", "secrets: { token: { env: FAULTY_TOKEN } }\nstages:").replace(
        'command: [/bin/sh, -c, "echo $$ > begun',
        'secret_environment: { TOKEN: "${{ secrets.token }}" }\n'
        '      command: [/bin/sh, -c, "echo \\"$TOKEN\\" > token; echo $$ > begun')

    def setUp(self):
        super().setUp()
        self.fifo("asked")
        self.fifo("answer")
        self.write("rollout.yaml", self.read("rollout.yaml").replace(
            "dir: a", 'dir: a, secrets: { token: { command: [/bin/sh, -c, "echo > asked; cat answer"] } }'))

    def start_here(self, *words):
        return self.start("rollout", *words, cwd=self.dir, env={**os.environ, "FAULTY_TOKEN": "plain"})

    def test(self):
        process = self.start_here("run", self.file, "--yes")
        self.read("asked")
        self.read("b/begun")
        self.let_go("b")
        for line in process.stdout:
            if "b: done" in line:
                break
        self.write("answer", "first line\nsecond line\n")
        self.read("a/begun")
        self.let_go("a")
        self.ended(process, 0)
        self.assertEqual(self.read("a/token"), "first line\nsecond line\n")
        self.assertEqual(self.read("b/token"), "plain\n")


class RolloutSecretCommandFails(RolloutSecretThatTakesItsTime):
    """That is the refusal of its environment alone."""

    def test(self):
        process = self.start_here("run", self.file, "--yes")
        self.read("asked")
        self.read("b/begun")
        self.write("answer", "")
        self.let_go("b")
        output = " ".join(self.ended(process, 1).split())
        self.assertIn("The secret 'token' has no value: what the command /bin/sh prints", output)
        self.assertIn("b: done", output)


class RolloutLeftWhileItWaitsForASecret(RolloutSecretThatTakesItsTime):
    def test(self):
        process = self.start_here("run", self.file, "--yes")
        self.read("asked")
        self.read("b/begun")
        process.send_signal(signal.SIGINT)
        self.ended(process, 4)
        again = self.start_here("resume", self.file)
        self.read("asked")
        self.let_go("b")
        self.write("answer", "other\n")
        self.read("a/begun")
        self.let_go("a")
        self.ended(again, 0)
        self.assertEqual(self.runs_of("a"), ["done"])


class RolloutKeepsNoSecretVariables(RolloutCase):
    """What holds a secret is read again by whoever goes on with the rollout; the rest is as it was begun."""
    parallel = 1
    pipeline = RolloutCase.pipeline.replace(
        "stages:", "vars: { api_token: null, url: null, to: null }\nstages:").replace(
        "echo new > data", "echo '${{ vars.url }} ${{ vars.api_token }} ${{ vars.to }}' > data")
    more = "notify: { exec: [/usr/bin/test, -n, hunter2secret] }"
    given = "vars: { api_token: hunter2secret, url: 'https://me:other-password@x/?t=hunter2secret', to: 1 }, dir: "

    def test(self):
        whole = self.read("rollout.yaml").replace("dir: ", self.given)
        self.write("rollout.yaml", whole)
        process = self.start("rollout", "run", self.file, "--yes")
        self.read("a/begun")
        self.kill(process)
        for name in os.listdir(self.path(".drydock")):
            if name.startswith("rollouts.db"):
                with open(self.path(f".drydock/{name}"), "rb") as file:
                    kept = file.read()
                self.assertFalse(b"hunter2secret" in kept, name)
                self.assertFalse(b"other-password" in kept, name)
        without = whole.replace("api_token: hunter2secret, ", "").replace("to: 1", "to: 2")
        self.write("rollout.yaml", without)
        self.assertIn("the variable 'api_token' of the environment 'b' of the rollout 'faulty' holds a secret, "
                      "which is kept nowhere", self.drydock("rollout", "resume", self.file, code=2))
        self.assertIn("--var: found 'to', allowed: api_token, url",
                      self.drydock("rollout", "resume", self.file, "--var", "to=3", code=2))
        self.write("rollout.yaml", without.replace("notify:", "#"))
        given_again = ("rollout", "resume", self.file, "--var", "api_token=hunter2secret")
        self.assertIn("'notify:' of the rollout 'faulty' holds a secret",
                      self.drydock(*given_again, code=2))
        self.write("rollout.yaml", without)
        again = self.start(*given_again)
        self.let_go("a")
        self.read("b/begun")
        self.let_go("b")
        output = self.ended(again, 0)
        self.assertNotIn("hunter2secret", output)
        self.assertNotIn("warning", output)
        self.assertIn("has been changed since the rollout 'faulty' was begun", output)
        self.assertEqual(self.read("b/data"),
                         "https://me:other-password@x/?t=hunter2secret hunter2secret 1\n")


class RolloutBudgetSpentAtOnce(RolloutCase):
    """Two may start at once, and the first cannot: the second is not begun any more, and waits."""
    pipeline = RolloutCase.pipeline.replace("stages:", "secrets: { token: { env: FAULTY_TOKEN } }\nstages:")

    def test(self):
        text = self.read("rollout.yaml").replace(
            "dir: a", "secrets: { token: { env: FAULTY_GONE } }, dir: a")
        self.write("rollout.yaml", text)
        output = " ".join(self.drydock("rollout", "run", self.file, "--yes", code=1).split())
        self.assertIn("b: not begun", output)
        self.assertIn("1 of 2 environments failed", output)
        self.assertEqual(self.read("b/data"), "old\n")
        self.assertFalse(os.path.exists(self.path("b/.drydock")))


class RolloutCannotKeepItsLogs(RolloutCase):
    """What stands in the way is here: the runs go on, are named, and are found again."""
    parallel = 1

    def test(self):
        logs = self.path(".drydock/rollouts/faulty/logs")
        os.makedirs(os.path.dirname(logs), mode=0o700)
        self.write(".drydock/rollouts/faulty/logs", "in the way\n")
        process = self.start("rollout", "run", self.file, "--yes")
        pid = int(self.read("a/begun"))
        output = " ".join(self.ended(process, 3).split())
        self.assertIn("a goes on by itself. Go on with: drydock rollout resume", output)
        self.assert_alive(pid)
        os.remove(logs)
        again = self.start("rollout", "resume", self.file)
        self.let_go("a")
        self.read("b/begun")
        self.let_go("b")
        self.ended(again, 0)


class RolloutDiskFull(RolloutCase):
    """This machine's disk is full: no environment has failed, all go on, and once there is room their logs
    are whole."""
    pipeline = RolloutCase.pipeline.replace("stages:", """stages:
  - { uses: exec, with: { command: [/bin/sh, -c, "i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo line $i of a long log; done"] } }""")

    def test(self):
        if os.geteuid() != 0:
            self.skipTest("a file system of its own needs root")
        logs = self.path(".drydock/rollouts/faulty/logs")
        os.makedirs(logs, mode=0o700)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k,mode=0700", "tmpfs", logs],
                                 stderr=subprocess.PIPE, text=True, check=False)
        if mounted.returncode != 0:
            self.skipTest(f"nothing can be mounted here ({mounted.stderr.strip()})")
        self.addCleanup(subprocess.run, ["umount", "-l", logs], check=True)
        process = self.start("rollout", "run", self.file, "--yes")
        output = " ".join(self.ended(process, 3).split())
        self.assertIn("of the events of a run cannot be written (No space left on device); make room", output)
        self.assertIn("a, b go on by themselves", output)
        self.drydock("rollout", "status", self.file, code=4)
        subprocess.run(["mount", "-o", "remount,size=1m", logs], check=True)
        again = self.start("rollout", "resume", self.file)
        for name in "ab":
            self.read(f"{name}/begun")
            self.let_go(name)
        self.ended(again, 0)
        for name in "ab":
            with open(f"{logs}/1/{name}/1/events.jsonl", "rb") as copy:
                with open(self.path(f"{name}/.drydock/logs/1/events.jsonl"), "rb") as log:
                    self.assertEqual(copy.read(), log.read())


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


class RolloutKeyOfARemovedRun(RolloutCase):
    """The record says that a run may have begun, and its environment has removed it since: it is not begun
    a second time."""

    def test(self):
        process, _ = self.begin()
        self.kill(process)
        state = sqlite3.connect(self.path(".drydock/rollouts.db"))
        with state:
            state.execute("UPDATE rollout_targets SET run = 0 WHERE name = 'b'")
        state.close()
        self.let_go("a")
        self.let_go("b", "bad")
        there = [DRYDOCK, "-C", self.path("b")]
        self.assertEqual(subprocess.run([*there, "attach"], stdout=subprocess.DEVNULL, timeout=60,
                                        check=False).returncode, 1)
        subprocess.run([*there, "history", "--prune", "--keep", "0", "--yes"], check=True, timeout=60,
                       stdout=subprocess.DEVNULL)
        self.assertEqual(self.runs_of("b"), [])
        output = " ".join(self.drydock("rollout", "resume", self.file, code=3).split())
        self.assertRegex(output, "b: .* run 1 had the key 'faulty[.].*/b/1' [(]rolled_back[)], and was removed")
        self.assertIn("a: done", output)
        self.assertEqual(self.runs_of("b"), [])
        again = self.start("rollout", "resume", self.file, "--retry", "failed")
        self.read("b/begun")
        self.let_go("b")
        self.ended(again, 0)
        self.assertEqual(self.runs_of("b"), ["done"])


class RolloutGivenUp(RolloutCase):
    """What still runs of a rollout that is given up is named, with what it needs."""

    def test(self):
        process, pids = self.begin()
        self.kill(process)
        output = " ".join(self.drydock("rollout", "run", self.file, "--yes", "--abandon", code=3).split())
        for name, pid in zip("ab", pids):
            there = "-C " + shlex.quote(self.path(name)).replace("'\"'\"'", "'\\''")
            self.assertIn(f"warning: {name}: run 1 was going on there; let it end (`drydock {there} attach 1` "
                          f"shows it) or cancel it (`drydock {there} cancel 1`)", output)
            self.assert_alive(pid)
        state = sqlite3.connect(self.path(".drydock/rollouts.db"))
        (reason,), = state.execute("SELECT reason FROM rollouts WHERE id = 1")
        state.close()
        self.assertTrue(reason.endswith("; what was going on: a (run 1), b (run 1)"), reason)
        for name in "ab":
            self.let_go(name)
            subprocess.run([DRYDOCK, "-C", self.path(name), "attach"], check=True, stdout=subprocess.DEVNULL,
                           timeout=60)
        again = self.start("rollout", "resume", self.file, "--retry", "failed")
        for name in "ab":
            self.read(f"{name}/begun")
            self.let_go(name)
        self.assertNotIn("was going on", self.ended(again, 0))


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


class RolloutKilledAtEveryLine(RolloutCase):
    """Killed after each line that it prints, and gone on with: nothing runs twice. A resume refuses when
    the rollout was not begun yet, or has passed already, and for no other reason."""
    more = "drift: include"  # what the environments know is removed again and again
    pipeline = """
drydock: 1
name: quick
stages:
  - { uses: exec, with: { shell: true, command: "echo once >> made" } }
"""

    def newest(self):
        """The last rollout of the state, and how it is; (0, ""): none was ever begun."""
        state = sqlite3.connect(self.path(".drydock/rollouts.db"))
        try:
            return state.execute("SELECT id, state FROM rollouts ORDER BY id DESC LIMIT 1").fetchone() or (0, "")
        except sqlite3.OperationalError as reason:
            self.assertIn("no such table", str(reason), "its file was being made")
            return (0, "")
        finally:
            state.close()

    def made(self):
        return [self.read(f"{name}/made") if os.path.exists(self.path(f"{name}/made")) else ""
                for name in "ab"]

    def test(self):
        lines = 0
        os.mkdir(self.path(".drydock"), mode=0o700)
        while True:
            earlier, how = self.newest()
            self.assertIn(how, ("", "passed"))
            for name in "ab":
                subprocess.run(["rm", "-rf", self.path(f"{name}/.drydock"), self.path(f"{name}/made")],
                               check=True)
            process = self.start("rollout", "run", self.file, "--yes", "--abandon")
            seen = [line for line in (process.stdout.readline() for _ in range(lines)) if line]
            self.kill(process)
            begun, how = self.newest()
            if len(seen) < lines:
                self.assertEqual((how, self.made()), ("passed", ["once\n", "once\n"]))
                break
            again = subprocess.run([DRYDOCK, "rollout", "resume", self.file], timeout=60, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, check=False)
            said = (lines, how, again.stdout)
            if begun == 0:
                refusal = "no rollout "
            elif how == "passed":  # this one, or the last one while this one had not begun
                refusal = "the rollout 'faulty' has ended (passed); begin a new one with "
            else:
                refusal = ""
            self.assertEqual(again.returncode, 2 if refusal else 0, said)
            self.assertIn(refusal, " ".join(again.stdout.split()), said)
            self.assertEqual(self.made(), ["", ""] if begun == earlier else ["once\n", "once\n"], said)
            if begun != earlier:
                self.assertEqual([self.runs_of(name) for name in "ab"], [["done"], ["done"]], said)
            lines += 1
        self.assertGreater(lines, 5)


def lose_the_rest(log):
    """Whoever writes it goes on to write another file, that has no name."""
    shutil.copyfile(log, log + ".copy")
    os.replace(log + ".copy", log)


def command_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:  # it has ended
        return b""


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
        return [int(child) for child in file.read().split()]


def parent_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return int(file.read().rsplit(")", 1)[1].split()[1])


if __name__ == "__main__":
    unittest.main()
