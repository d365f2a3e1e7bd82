#!/usr/bin/env python3
"""Rollouts over ssh: hosts that do not let us in or are not as they should be, links that are cut, and
supervisors that are killed meanwhile. Run by ctest, one class a test."""
import json
import os
import signal
import sqlite3
import subprocess
import unittest

import ssh_host
from case import DRYDOCK, PIPELINE, Case
from rollout_faults import children_of, command_of, parent_of

ROLLOUT = """
drydock: 1
rollout: far
pipeline: pipelines/sample.yaml
ssh: {{ command: [ssh, -F, ssh/config], reconnect: {reconnect} }}
defaults: {{ sudo: {sudo} }}
environments:
{environments}
waves:
  - {{ name: all, environments: all, parallel: 2{more} }}
"""

QUICK = """
drydock: 1
name: quick
vars: { to: {} }
secrets: { hook: { env: NOBODY_HAS_IT, optional: true } }
stages:
  - include: ../parts/make.yaml
"""
MAKE = """
drydock: 1
stages:
  - uses: exec
    with:
      command: [/bin/sh, -c, 'printf "%s\\n" "$1" "$HOOK" >> made', sh, "${{ vars.to }}"]
      secret_environment: { HOOK: "${{ secrets.hook }}" }
"""


@unittest.skipIf(ssh_host.missing(), ssh_host.missing())
class SshCase(Case):
    names = "ab"
    reconnect = "60s"
    sudo = "false"
    more = ""
    pipeline = PIPELINE.replace("read line < go", 'read line < go; test \\"$line\\" != bad')

    def setUp(self):
        super().setUp()
        os.mkdir(self.path("pipelines"))
        os.mkdir(self.path("parts"))
        self.write("pipelines/sample.yaml", self.pipeline)
        self.write("parts/make.yaml", MAKE)
        self.client = ssh_host.Client(self.path("ssh"))
        self.hosts = {}
        lines = []
        for name in self.names:
            host = ssh_host.Host(self.path("host-" + name), DRYDOCK)
            self.addCleanup(host.close)
            host.let_in(self.client.public_key)
            self.client.add(name, host.port, host.host_key)
            self.hosts[name] = host
            # Its name is one that a shell would take for something else.
            self.write_deployment(name)
            lines.append(f"  {name}: {{ host: {self.host_of(name)}, dir: {json.dumps(self.path(name + ' $it'))}"
                         f"{self.options_of(name)} }}")
        self.file = self.path("rollout.yaml")
        self.write("rollout.yaml", ROLLOUT.format(reconnect=self.reconnect, sudo=self.sudo,
                                                  environments="\n".join(lines), more=self.more))

    def host_of(self, name):
        return name

    def options_of(self, name):
        return ""

    def write_deployment(self, name):
        os.mkdir(self.there(name))
        self.write(f"{name} $it/data", "old\n")
        for fifo in ("begun", "go"):
            self.fifo(f"{name} $it/{fifo}")

    def there(self, name, file=""):
        return os.path.join(self.path(f"{name} $it"), file)

    def begin(self):
        """Every environment is in its second stage; the pids of these."""
        process = self.start("rollout", "run", self.file, "--yes")
        return process, [int(self.read(f"{name} $it/begun")) for name in self.names]

    def let_go(self, name, line="go"):
        with open(self.there(name, "go"), "w", encoding="utf-8") as go:
            go.write(line + "\n")

    @staticmethod
    def write_file(path, text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def runs_of(self, name):
        journal = sqlite3.connect(self.there(name, ".drydock/journal.db"))
        try:
            return [state for (state,) in journal.execute("SELECT state FROM runs ORDER BY id")]
        finally:
            journal.close()

    def ended(self, process, code):
        output = process.communicate(timeout=90)[0]
        self.assertEqual(process.returncode, code, output)
        return " ".join(output.split())

    def refused(self, *arguments, code=2):
        """In one line, since the terminal's width is no matter here."""
        return " ".join(self.drydock("rollout", "run", self.file, "--yes", *arguments, code=code).split())

    def read_until(self, process, word):
        seen = ""
        for line in process.stdout:
            seen += line
            if word in line:
                return seen
        self.fail(f"it ended without '{word}':\n{seen}")

    def numbers_of_events(self, name):
        with open(self.path(f".drydock/rollouts/far/logs/1/{name}/1/events.jsonl"), encoding="utf-8") as file:
            return [json.loads(line)["seq"] for line in file]

    def assert_every_event_once(self, name):
        numbers = self.numbers_of_events(name)
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))


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


class SshLinkCut(SshCase):
    """For a while: the run there goes on, is found again, and no line of it is read twice."""

    def test(self):
        process, _ = self.begin()
        self.hosts["a"].away()
        self.read_until(process, "trying again")
        self.let_go("a")  # it ends while nobody sees it
        self.let_go("b")
        self.hosts["a"].back()
        output = self.ended(process, 0)
        self.assertIn("Rollout far has passed: 2 done.", output)
        for name in self.names:
            self.assertEqual(self.runs_of(name), ["done"])
            self.assert_every_event_once(name)


class SshLinkCutForGood(SshCase):
    reconnect = "1s"

    def test(self):
        process, _ = self.begin()
        self.hosts["a"].away()
        self.let_go("b")
        output = self.ended(process, 3)
        self.assertIn("a: unreachable", output)
        self.assertIn("1 of 2 environments could not be reached in the wave 'all', and none may be missing",
                      output)
        self.assertIn("1 done, 1 unreachable", output)
        self.assertIn("Look at: ssh a", output)
        status = json.loads(self.drydock("rollout", "status", self.file, "--json", code=3))
        self.assertEqual([each["state"] for each in status["waves"][0]["environments"]],
                         ["unreachable", "done"])
        # Still away: nothing is begun.
        self.drydock("rollout", "plan", self.file, code=2)
        self.assertIn("a is not reached", " ".join(
            self.drydock("rollout", "resume", self.file, code=2).split()))
        self.hosts["a"].back()
        again = self.start("rollout", "resume", self.file)
        self.let_go("a")
        self.ended(again, 0)
        for name in self.names:
            self.assertEqual(self.runs_of(name), ["done"])
            self.assert_every_event_once(name)


class SshLinkSilent(SshCase):
    """Nobody says that the link is dead: it is noticed, and the run found again."""
    names = "a"

    def test(self):
        process, _ = self.begin()
        self.hosts["a"].fall_silent()
        self.read_until(process, "trying again")
        self.hosts["a"].fall_silent(False)
        self.let_go("a")
        self.ended(process, 0)
        self.assert_every_event_once("a")


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


class SshOneMayBeMissing(SshCase):
    more = ", max_unreachable: 1"

    def test(self):
        self.hosts["a"].away()
        self.assertIn("a is not reached", " ".join(
            self.drydock("rollout", "plan", self.file, code=0).split()))
        process = self.start("rollout", "run", self.file, "--yes")
        self.read_until(process, "a: started")
        self.read("b $it/begun")
        self.let_go("b")
        self.hosts["a"].back()
        self.read("a $it/begun")
        self.let_go("a")
        self.ended(process, 0)


class SshOneThatIsAwayLeavesItsPlace(SshCase):
    """One at a time, and the first one's host is away: the second need not wait for it."""
    more = ", max_unreachable: 1"

    def setUp(self):
        super().setUp()
        with open(self.file, encoding="utf-8") as file:
            text = file.read()
        self.assertIn("parallel: 2", text)
        self.write("rollout.yaml", text.replace("parallel: 2", "parallel: 1"))

    def test(self):
        self.hosts["a"].away()
        process = self.start("rollout", "run", self.file, "--yes")
        self.read_until(process, "trying again")
        self.read("b $it/begun")
        self.let_go("b")
        self.read_until(process, "b: done")
        status = json.loads(self.drydock("rollout", "status", self.file, "--json", code=0))
        self.assertEqual(status["waves"][0]["environments"][0]["state"], "waiting")
        self.hosts["a"].back()
        self.read("a $it/begun")
        self.let_go("a")
        output = self.ended(process, 0)
        self.assertNotIn("a: started", output, "it was said once")
        self.assertIn("passed: 2 done", output)


class SshCutWhileItPlans(SshCase):
    """Nobody has heard of the run yet: its key finds it, and it is not started twice."""
    names = "a"
    pipeline = PIPELINE.replace("observe: [/bin/cat, data]",
                                'observe: [/bin/sh, -c, "cat data; echo $$ > begun; read line < go"]')

    def test(self):
        process, _ = self.begin()
        self.hosts["a"].away()
        self.read_until(process, "trying again")
        self.hosts["a"].back()
        self.let_go("a")            # its plan
        self.read("a $it/begun")    # its second stage
        self.let_go("a")
        self.ended(process, 0)
        self.assertEqual(self.runs_of("a"), ["done"])


class SshCancelWhileCut(SshCase):
    """The budget is spent while one host is away: the cancel arrives when it is back."""

    def setUp(self):
        super().setUp()
        with open(self.file, "a", encoding="utf-8") as file:
            file.write("on_budget: cancel\n")

    def test(self):
        process, _ = self.begin()
        self.hosts["b"].away()
        self.read_until(process, "trying again")
        self.let_go("a", "bad")
        self.read_until(process, "a: failed and rolled back")
        self.hosts["b"].back()
        self.assertIn("b: cancelled and rolled back", self.ended(process, 1))
        self.assertEqual(self.runs_of("b"), ["cancelled"])


class SshSupervisorKilled(SshCase):
    def test(self):
        process, pids = self.begin()
        self.kill(process)
        for pid in pids:
            os.kill(pid, 0)  # it goes on
        self.assertIn("left in the wave 'all'", self.drydock("rollout", "status", self.file, code=4))
        again = self.start("rollout", "resume", self.file)
        for name in self.names:
            self.let_go(name)
        output = self.ended(again, 0)
        self.assertEqual(output.count("found again"), 2, output)
        for name in self.names:
            self.assertEqual(self.runs_of(name), ["done"])
            self.assert_every_event_once(name)


class SshKilledAndCutAtEveryLine(SshCase):
    """The supervisor is killed after each line that it prints, or all links are cut there: nothing
    runs twice, and nothing is left out."""
    pipeline = QUICK

    def options_of(self, name):
        return ", vars: { to: once }"

    def go_on_after(self, lines, fault):
        """Whether there were as many lines."""
        for name in self.names:
            subprocess.run(["rm", "-rf", self.there(name, ".drydock"), self.there(name, "made")], check=True)
        subprocess.run(["rm", "-rf", self.path(".drydock")], check=True)
        process = self.start("rollout", "run", self.file, "--yes")
        seen = [line for line in (process.stdout.readline() for _ in range(lines)) if line]
        fault(process)
        if len(seen) < lines:
            return False
        if process.poll() is None and fault is not self.kill:
            process.communicate(timeout=90)
        again = subprocess.run([DRYDOCK, "rollout", "resume", self.file], timeout=90, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, check=False)
        if "was begun in" in again.stdout:
            return True  # killed before it had begun
        for name in self.names:
            self.assertEqual(self.read(f"{name} $it/made"), "once\n\n", (lines, again.stdout))
            self.assertEqual(self.runs_of(name), ["done"])
            self.assert_every_event_once(name)
        return True

    def cut(self, process):
        for host in self.hosts.values():
            host.cut()

    def test(self):
        for fault in (self.kill, self.cut):
            lines = 0
            while self.go_on_after(lines, fault):
                lines += 1
            self.assertGreater(lines, 5)


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
        self.assertIn("a: Drydock there does not say what it is: it ended with exit code 0",
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


class SshCutWhileItGoesBack(SshCase):
    """A link is lost while a wave is put back: the rollback there goes on, and is found again."""

    def upgrade(self):
        process, _ = self.begin()
        for name in self.names:
            self.let_go(name)
        self.ended(process, 0)

    def goes_back(self):
        """What puts the wave back; a's rollback waits at the other end of what is returned beside it."""
        self.upgrade()
        self.fifo("a $it/hold")
        process = self.start("rollout", "rollback", self.file, "--yes", "--accept-loss")
        return process, os.open(self.there("a", "hold"), os.O_WRONLY)

    def let_go_back(self, hold):
        os.remove(self.there("a", "hold"))
        os.write(hold, b"go\n")
        os.close(hold)

    def assert_all_went_back_once(self):
        for name in self.names:
            self.assertEqual(self.runs_of(name), ["rolled_back"])
            self.assertEqual(self.read(f"{name} $it/data"), "old\n")
            self.assertEqual(self.read(f"{name} $it/undone"), "wait\nchange\n")
        # Nothing is expected of it any more.
        self.assertNotIn("drift", self.drydock("rollout", "status", self.file, "--all", code=0))

    code = 0

    def test(self):
        process, hold = self.goes_back()
        self.hosts["a"].away()
        self.assertIn("while its rollback goes on by itself", " ".join(
            (self.read_until(process, "trying again") + process.stdout.readline()).split()))
        self.hosts["a"].back()
        self.read_until(process, "reached again")
        self.let_go_back(hold)
        self.assertIn("a: rolled back", self.ended(process, self.code))
        self.assert_all_went_back_once()


class SshCutWhileAFailureGoesBack(SshCutWhileItGoesBack):
    """The same of what a failure puts back."""
    code = 1

    def setUp(self):
        super().setUp()
        with open(self.file, "a", encoding="utf-8") as file:
            file.write("on_failure: rollback-wave\n")

    def goes_back(self):
        self.fifo("a $it/hold")
        process, _ = self.begin()
        self.let_go("a")
        self.read_until(process, "a: done")
        self.let_go("b", "bad")
        return process, os.open(self.there("a", "hold"), os.O_WRONLY)


class SshCutForGoodWhileItGoesBack(SshCutWhileItGoesBack):
    """Nobody knows how its rollback ends: it stays to be put back, and a resume looks again."""
    reconnect = "1s"

    def test(self):
        process, hold = self.goes_back()
        self.hosts["a"].away()
        output = self.ended(process, 3)
        self.assertIn("a: being rolled back (run 1): ", output)
        self.assertIn("; its rollback may go on there", output)
        self.assertIn("b: rolled back", output)
        self.assertIn("1 environment is not known to be put back, since nobody could ask there: a. Go on with: "
                      "drydock rollout resume", output)
        self.let_go_back(hold)
        self.assertIn("its rollback may go on there", " ".join(
            self.drydock("rollout", "status", self.file, code=4).split()))
        self.hosts["a"].back()
        self.assertIn("a: rolled back", self.drydock("rollout", "resume", self.file, code=0))
        self.assert_all_went_back_once()


class SshAwayOnTheWayBack(SshCutWhileItGoesBack):
    """One at a time, and the host of the first one is away: the next one has its place."""

    def setUp(self):
        super().setUp()
        self.write("rollout.yaml", self.read("rollout.yaml").replace("parallel: 2", "parallel: 1"))

    def upgrade(self):
        process = self.start("rollout", "run", self.file, "--yes")
        for name in self.names:
            self.read(f"{name} $it/begun")
            self.let_go(name)
        self.ended(process, 0)

    def test(self):
        self.upgrade()
        self.fifo("b $it/hold")
        process = self.start("rollout", "rollback", self.file, "--yes", "--accept-loss")
        hold = os.open(self.there("b", "hold"), os.O_WRONLY)
        self.hosts["b"].away()
        self.read_until(process, "a: rolled back")
        self.hosts["b"].back()
        os.remove(self.there("b", "hold"))
        os.write(hold, b"go\n")
        os.close(hold)
        self.assertIn("b: rolled back", self.ended(process, 0))
        self.assert_all_went_back_once()


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
