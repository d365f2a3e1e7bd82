#!/usr/bin/env python3
"""Rollouts over ssh: hosts that do not let us in, or are not as they should be. Run by ctest, one class a test."""
import json
import os
import signal
import subprocess
import unittest

import ssh_host
from case import DRYDOCK
from rollout_case import children_of, command_of, parent_of
from ssh_case import QUICK, SshCase


class SshRollout(SshCase):
    """The pipeline with what it includes, variables and secrets all travel on standard input."""
    pipeline = QUICK
    value = "1.2 'a\" $HOME `id` \\ !x"

    def options_of(self, name):
        return f", vars: {{ to: {json.dumps(self.value)} }}, secrets: {{ hook: {{ env: HOOK }} }}"

    def test(self):
        environment = {**os.environ, "HOOK": "correct-horse"}
        plan = self.drydock("rollout", "plan", self.file, code=0, env=environment)
        self.assertIn("2 environments asked: all is well", plan)
        self.assertEqual(plan.count("1 change"), 2, plan)
        self.assertFalse(os.path.exists(self.there("a", ".drydock")))
        output = self.drydock("rollout", "run", self.file, "--yes", code=0, env=environment)
        self.assertIn("Rollout far has passed: 2 done.", output)
        for name in self.names:
            self.assertEqual(self.read(f"{name} $it/made"), self.value + "\ncorrect-horse\n")
            self.assertEqual(self.runs_of(name), ["done"])
            self.assert_every_event_once(name)
        # One login for the plan, one for the run.
        self.assertEqual([self.hosts[name].accepted for name in self.names], [2, 2])


class SshLoginComplains(SshCase):
    """The login script may not write its log, and the command there is ended by a signal: whoever hears
    of that was let in, and the link is to be tried again."""
    names = "a"

    def test(self):
        host = self.hosts["a"]
        self.write_file(os.path.join(host.folder, ".bashrc"), "echo 'bash: /var/log/logins: Permission denied' >&2\n")
        path = os.path.join(host.bin, "drydock")
        os.unlink(path)
        self.write_file(path, f"""#!/bin/sh
case "$*" in *--key*) test -e "$HOME/killed" || {{ : > "$HOME/killed"; kill -9 $$; }} ;; esac
exec {DRYDOCK} "$@"
""")
        os.chmod(path, 0o755)
        process = self.start("rollout", "run", self.file, "--yes")
        self.assertIn("the link to a was lost (bash: /var/log/logins: Permission denied)",
                      " ".join(self.read_until(process, "trying again").split()))
        self.read("a $it/begun")
        self.let_go("a")
        self.ended(process, 0)
        self.assertEqual(self.runs_of("a"), ["done"])


class SshLoginGreets(SshCase):
    """What a login prints before Drydock's answer is not taken for one."""
    names = "a"
    pipeline = QUICK

    def options_of(self, name):
        return ", vars: { to: once }"

    def test(self):
        self.write_file(os.path.join(self.hosts["a"].folder, ".bashrc"), "echo 'Welcome to {a}!'\n")
        self.assertIn("1 change", self.drydock("rollout", "plan", self.file, code=0))
        self.assertIn("Rollout far has passed: 1 done.", self.drydock("rollout", "run", self.file, "--yes", code=0))
        self.assertIn("run 1 done", self.drydock("rollout", "status", self.file, "--all", code=0))
        self.assert_every_event_once("a")


class SshConnectionsAreInits(SshCase):
    """While hosts are asked, the processes that keep the connections to them are not the rollout's
    children: they would be zombies when they end."""
    pipeline = QUICK

    def options_of(self, name):
        return ", vars: { to: once }"

    def test(self):
        for name, host in self.hosts.items():
            for fifo in ("asked", "answer"):
                os.mkfifo(os.path.join(host.folder, fifo))
            path = os.path.join(host.bin, "drydock")
            os.unlink(path)
            self.write_file(path, f"""#!/bin/sh
case "$*" in *--installation*) echo > "$HOME/asked"; read line < "$HOME/answer" ;; esac
exec {DRYDOCK} "$@"
""")
            os.chmod(path, 0o755)
        process = self.start("rollout", "run", self.file, "--yes")
        for host in self.hosts.values():
            self.read(os.path.join(host.folder, "asked"))
        clients = children_of(process.pid)
        self.assertEqual(len(clients), len(self.names), [command_of(each) for each in clients])
        self.write_file(os.path.join(self.hosts["a"].folder, "answer"), "go\n")
        self.write_file(os.path.join(self.hosts["b"].folder, "answer"), "go\n")
        self.ended(process, 0)


class SshPipelineIsKept(SshCase):
    """The run there is killed, and a person goes on with it there: the pipeline came along."""
    names = "a"

    def test(self):
        process, pids = self.begin()
        os.kill(parent_of(parent_of(pids[0])), signal.SIGKILL)
        output = self.ended(process, 3)
        self.assertIn("run 1 ended without having told how", output)
        self.assertIn("ssh a drydock -C", output.replace("'", ""))
        refused = self.refused()
        self.assertIn("a: a run waits there: run 1", refused)
        os.makedirs(self.there("a", ".drydock/pipelines/of-nobody/deep"))
        subprocess.run([DRYDOCK, "-C", self.there("a"), "history", "--prune", "--keep", "0", "--yes"],
                       stdout=subprocess.DEVNULL, check=True, timeout=60)
        self.assertEqual(len(os.listdir(self.there("a", ".drydock/pipelines"))), 1)
        again = subprocess.Popen([DRYDOCK, "-C", self.there("a"), "resume", "--yes"],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.read("a $it/begun")
        self.let_go("a")
        self.ended(again, 0)
        self.assertEqual(self.read("a $it/data"), "new\n")
        self.assertEqual(self.runs_of("a"), ["done"])


class SshFewSessions(SshCase):
    """Two environments of one host, whose sshd allows one session in a connection."""

    def host_of(self, name):
        return "a"

    def test(self):
        with open(os.path.join(self.hosts["a"].folder, "sshd_config"), "r+", encoding="utf-8") as file:
            text = file.read()
            self.assertIn("MaxSessions 200", text)
            file.seek(0)
            file.write(text.replace("MaxSessions 200", "MaxSessions 1"))
            file.truncate()
        process, _ = self.begin()
        for name in self.names:
            self.let_go(name)
        self.ended(process, 0)
        for name in self.names:
            self.assert_every_event_once(name)


class SshRefused(SshCase):
    """A host that is not the one that we know, or does not let us in: each with its sentence, and
    nothing is started anywhere."""
    sudo = "true"
    allowed = '[ "$1 $2" = "-n --" ] || exit 9\nshift 2\nexec "$@"\n'

    def setUp(self):
        super().setUp()
        self.sudo_says("exec")

    def program(self, name, text):
        path = os.path.join(self.hosts["a"].bin, name)
        if os.path.lexists(path):
            os.unlink(path)
        self.write_program(path, text)

    @staticmethod
    def write_program(path, text):
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)

    def sudo_says(self, what):
        text = {"exec": self.allowed,
                "asks": 'echo "sudo: a password is required" >&2\nexit 1\n',
                "denies": 'echo "sudo: unknown user nobody-knows" >&2\nexit 1\n'}[what]
        for host in self.hosts.values():
            self.write_program(os.path.join(host.bin, "sudo"), text)

    def assert_nothing_began(self):
        for name in self.names:
            self.assertFalse(os.path.exists(self.there(name, ".drydock")))

    def test(self):
        known = self.client.known_hosts
        with open(known, encoding="utf-8") as file:
            right = file.read()
        other = ssh_host.make_key(self.path("other"))

        self.write(known, right.replace(self.hosts["a"].host_key, other))
        output = self.refused()
        self.assertIn("a: the host key of a is another one than in known_hosts (", output)
        self.assertIn("known_hosts:1)", output)
        self.assertIn("nothing was started", output)
        self.write(known, "")
        self.assertIn("the host key of a is not known; log in once by hand", self.refused())
        self.write(known, right)

        os.rename(self.hosts["a"].authorized, self.hosts["a"].authorized + ".kept")
        self.assertIn("a refuses the login (", self.refused())
        os.rename(self.hosts["a"].authorized + ".kept", self.hosts["a"].authorized)

        self.sudo_says("asks")
        self.assertIn("a: sudo asks for a password on a (sudo: a password is required); let this user",
                      self.refused())
        self.sudo_says("denies")
        self.assertIn("sudo refuses on a (sudo: unknown user", self.refused())
        self.sudo_says("exec")

        self.program("drydock", f'"{DRYDOCK}" "$@" | sed \'s/"version": "0/"version": "9/\'\n')
        self.assertIn("a: Drydock 9.1.0 there and 0.1.0 here do not work together", self.refused())
        self.program("drydock", "echo \"drydock: status: unrecognised option '--installation'\" >&2\nexit 2\n")
        self.assertIn("a: Drydock there is an older one than 0.1.0, which is here, and cannot be asked",
                      self.refused())
        self.program("drydock", "echo hello\n")
        self.assertIn("a: Drydock there does not say what it is: it printed 'hello' instead of an answer",
                      self.refused())
        self.program("drydock", f'"{DRYDOCK}" "$@" | sed \'s/"exec": {{/"other": {{/\'\n')
        self.assertIn("a: the stage type exec is not there", self.refused())
        os.unlink(os.path.join(self.hosts["a"].bin, "drydock"))
        self.assertIn("a: there is no `drydock` on a", self.refused())
        self.assert_nothing_began()


class SshWarned(SshCase):
    """What is other there and stands in nobody's way; with a sudo that does not ask."""
    pipeline = QUICK
    sudo = "true"

    def options_of(self, name):
        return ", vars: { to: once }"

    def test(self):
        for host in self.hosts.values():
            SshRefused.write_program(os.path.join(host.bin, "sudo"), SshRefused.allowed)
        path = os.path.join(self.hosts["a"].bin, "drydock")
        os.unlink(path)
        SshRefused.write_program(path, f'case "$*" in *--installation*) "{DRYDOCK}" "$@" |'
                                 r""" sed 's/"clock_ms": 1/"clock_ms": 2/; s/"version": "0.1/"version": "0.2/' ;;"""
                                 f' *) exec "{DRYDOCK}" "$@" ;; esac\n')
        output = " ".join(self.drydock("rollout", "run", self.file, "--yes", code=0).split())
        self.assertIn("a: Drydock is 0.2.0 there, and 0.1.0 here", output)
        self.assertIn("ahead of this one's", output)


class SshPins(SshCase):
    names = "a"
    pipeline = QUICK + "plugins: { drydock.exec: { sha256: %s } }\n" % ("0" * 64)

    def options_of(self, name):
        return ", vars: { to: once }"

    def test(self):
        # The pin is of the plugin that is here, and not of the one that is there.
        stages = json.loads(self.drydock("stages", "exec", "--json", code=0))
        digest = subprocess.run(["sha256sum", stages["plugin_file"]], stdout=subprocess.PIPE, text=True,
                                check=True).stdout.split()[0]
        self.write("pipelines/sample.yaml", self.pipeline.replace("0" * 64, digest))
        path = os.path.join(self.hosts["a"].bin, "drydock")
        os.unlink(path)
        SshRefused.write_program(path, f'"{DRYDOCK}" "$@" | sed "s/{digest}/{"1" * 64}/"\n')
        self.assertIn(f"has the SHA-256 {'1' * 64}, and the pipeline wants {digest}", self.refused())


class SshLaterWaveIsNotWell(SshCase):
    """A host of a later wave keeps nobody from going on with the wave at work; before its own wave it is
    asked again, and then nothing is begun where it is still not well."""

    def setUp(self):
        super().setUp()
        text = self.read("rollout.yaml")
        waves = "waves:\n  - { name: first, environments: [a] }\n  - { name: later, environments: [b] }\n"
        self.write("rollout.yaml", text[:text.index("waves:")] + waves)

    def test(self):
        process = self.start("rollout", "run", self.file, "--yes")
        self.read("a $it/begun")
        self.kill(process)
        self.hosts["b"].away()
        again = self.start("rollout", "resume", self.file)
        said = " ".join(self.read_until(again, "found again").split())
        self.assertIn("warning: b: b is not reached", said)
        self.assertIn("; asked again before the wave later", said)
        path = os.path.join(self.hosts["b"].bin, "drydock")
        os.unlink(path)
        SshRefused.write_program(path, "echo hello\n")
        self.hosts["b"].back()
        self.let_go("a")
        output = self.ended(again, 1)
        self.assertIn("wave first has passed", output)
        self.assertIn("wave later: 1 environment", output)
        self.assertIn("b: refused before any change: Drydock there does not say what it is", output)
        self.assertFalse(os.path.exists(self.there("b", ".drydock")))
        os.unlink(path)
        os.symlink(DRYDOCK, path)
        last = self.start("rollout", "resume", self.file, "--retry", "failed")
        self.read("b $it/begun")
        self.let_go("b")
        self.ended(last, 0)
        self.assertEqual([self.runs_of(name) for name in self.names], [["done"], ["done"]])


class SshLaterWaveIsAskedInTurn(SshCase):
    """Where a host of it has several environments: one question at a time."""
    names = "abc"

    def host_of(self, name):
        return "b" if name == "c" else name

    def test(self):
        text = self.read("rollout.yaml")
        waves = "waves:\n  - { name: first, environments: [a] }\n  - { name: later, environments: [b, c] }\n"
        self.write("rollout.yaml", text[:text.index("waves:")] + waves)
        process = self.start("rollout", "run", self.file, "--yes")
        self.read("a $it/begun")
        self.kill(process)
        host = self.hosts["b"]
        host.away()
        again = self.start("rollout", "resume", self.file)
        self.read_until(again, "found again")
        for fifo in ("question", "answer"):
            self.fifo(os.path.join(host.folder, fifo))
        path = os.path.join(host.bin, "drydock")
        os.unlink(path)
        SshRefused.write_program(path, 'mkdir "$HOME/asked" || : > "$HOME/two"\necho > "$HOME/question"\n'
                                 'read line < "$HOME/answer"\nrmdir "$HOME/asked"\necho hello\n')
        host.back()
        self.let_go("a")
        for _ in "bc":
            self.read(os.path.join(host.folder, "question"))
            self.write(os.path.join(host.folder, "answer"), "go\n")
        output = " ".join(self.ended(again, 1).split())
        self.assertEqual(output.count("Drydock there does not say what it is"), 2, output)
        self.assertFalse(os.path.exists(os.path.join(host.folder, "two")))


class SshDiskFull(SshCase):
    names = "a"

    def write_deployment(self, name):
        if os.geteuid() != 0:
            self.skipTest("a file system of its own needs root")
        os.mkdir(self.there(name))
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", self.there(name)],
                                 stderr=subprocess.PIPE, text=True, check=False)
        if mounted.returncode != 0:
            self.skipTest(f"nothing can be mounted here ({mounted.stderr.strip()})")
        self.addCleanup(subprocess.run, ["umount", "-l", self.there(name)], check=True)

    def test(self):
        self.assertIn("a: its disk is full: ", self.refused())
        self.assertEqual(os.listdir(self.there("a")), [])


if __name__ == "__main__":
    unittest.main()
