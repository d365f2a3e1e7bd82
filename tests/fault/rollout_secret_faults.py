#!/usr/bin/env python3
"""Secrets of environments: commands that deliver them late or not at all, and what is kept of them nowhere.
Run by ctest, one class a test."""
import os
import signal
import sqlite3
import subprocess
import unittest

from case import DRYDOCK
from rollout_case import RolloutCase


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
        self.until_numbered()
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
        self.until_numbered(1)
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
        self.assertIn("the variable 'api_token' of the environment 'b' is another one than the rollout 'faulty' was "
                      "begun with", self.drydock("rollout", "resume", self.file, "--var", "api_token=other-secret",
                                                 code=2))
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


class RolloutKeepsNoSecretsOfGates(RolloutCase):
    """Nor of notifications: what they hold is known by its name, and their files go with the supervisor."""
    pipeline = 'drydock: 1\nname: quick\nstages: [{ uses: exec, with: { command: ["true"] } }]\n'
    holds = "environment: { API_TOKEN: hunter2hunter2 } }"
    more = f"""notify: {{ uses: exec, with: {{ command: [/bin/sh, -c, 'echo "$API_TOKEN" > told'], {holds} }}"""

    def kept(self):
        for folder, _, names in os.walk(self.dir):
            for path in (os.path.join(folder, name) for name in names if name != "rollout.yaml"):
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        if b"hunter2hunter2" in file.read():
                            yield os.path.relpath(path, self.dir)

    def test(self):
        os.mkdir(self.path("runtime"), 0o700)
        env = {**os.environ, "XDG_RUNTIME_DIR": self.path("runtime")}
        self.write("rollout.yaml", self.read("rollout.yaml").replace(
            "parallel: 2 }", "parallel: 2, gate: { uses: exec, with: "
            "{ command: [/bin/sh, -c, 'echo $$ > begun; read line < go'], " + self.holds + " } }"))
        process = self.start("rollout", "run", self.file, "--yes", env=env)
        begun = int(self.read("begun"))
        self.kill(process)
        try:
            os.kill(begun, signal.SIGKILL)  # it has a session of its own
        except ProcessLookupError:
            pass
        kept = list(self.kept())
        self.assertTrue(all(path.startswith("runtime/drydock-") for path in kept), kept)
        again = self.start("rollout", "resume", self.file, env=env)
        self.read("begun")
        self.let_go_on()
        self.ended(again, 0)
        self.assertEqual(list(self.kept()), ["told"])
        self.assertEqual(os.listdir(self.path("runtime")), [])


if __name__ == "__main__":
    unittest.main()
