#!/usr/bin/env python3
"""What one stage keeps secret is printed by another one, or is in its facts: it is never shown, whoever
performs the rollback, and what was put back is still known to be as it was."""
import os
import resource
import sys
import unittest

from case import Case

SECRET = "correct-horse-battery"
VARIABLE = "staple-of-a-variable"

KEEPS = """
  - id: keeps
    uses: exec
    with:
      command: [/bin/true]
      secret_environment: { WORD: "${{ secrets.word }}" }
"""
PRINTS = """
  - id: prints
    uses: exec
    with:
      command: [/bin/sh, -c, "echo new > data; cat word"]
      observe: [/bin/sh, -c, "cat data word"]
      rollback: [/bin/sh, -c, "echo old > data; cat word"]
"""
ENDS = """
  - id: ends
    uses: exec
    with: { command: [/bin/sh, -c, "${{ vars.end }}"], rollback: [/bin/true] }
"""
HEAD = """
drydock: 1
name: sample
vars: { end: { default: "true" } }
secrets: { word: { file: word } }
stages:
"""


KILL = "kill -9 $(cut -d ' ' -f 4 /proc/$PPID/stat)"  # the runner


class SecretCase(Case):
    def setUp(self):
        super().setUp()
        self.write("word", SECRET + "\n")
        self.runtime = self.path("runtime")
        os.mkdir(self.runtime, 0o700)

    def drydock(self, *arguments, code, **options):
        output = super().drydock(*arguments, code=code, cwd=self.dir,
                                 env=dict(os.environ, XDG_RUNTIME_DIR=self.runtime), **options)
        self.assertNotIn(SECRET, output)
        return output

    def assert_nowhere(self, secret):
        for folder, _, files in os.walk(self.path(".drydock")):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    self.assertNotIn(secret.encode(), file.read(), f"{folder}/{name}")


class SecretOfAStageWithoutARollback(SecretCase):
    """It is known to another process as well, and so is what a killed run has planned: that is gone."""

    def test(self):
        self.write("drydock.yaml", HEAD + KEEPS + PRINTS + ENDS)
        self.drydock("run", "--yes", "--var", "end=" + KILL, code=-9)
        self.assertNotEqual(os.listdir(self.runtime), [])
        self.drydock("plan", "--rollback", code=0)
        self.drydock("rollback", "--yes", code=0)
        self.assertEqual(self.read("data"), "old\n")
        self.assertEqual(os.listdir(self.runtime), [])
        self.assert_nowhere(SECRET)


class SecretThatCannotBeRead(SecretCase):
    """It keeps nothing from being put back; that it is not masked is said."""

    def test(self):
        self.write("drydock.yaml", HEAD + KEEPS + ENDS)
        self.drydock("run", "--yes", "--var", "end=" + KILL, code=-9)
        os.unlink(self.path("word"))
        output = self.drydock("rollback", "--yes", code=0)
        self.assertIn("what stage 'keeps' keeps secret is not masked now", output)


class SecretOfALaterStage(SecretCase):
    """It is masked in the facts of the first one, before as after."""

    def test(self):
        self.write("drydock.yaml", HEAD + PRINTS + KEEPS + ENDS)
        self.drydock("run", "--yes", "--var", "end=exit 1", code=1)
        self.assert_nowhere(SECRET)


class SecretOfALaterStageWithACondition(SecretCase):
    """That one is not read before its stage; what was put back is as it was all the same."""

    def test(self):
        later = KEEPS.replace("    uses:", "    when: vars.end != ''\n    uses:")
        self.write("drydock.yaml", HEAD + PRINTS + later + ENDS)
        self.drydock("run", "--yes", "--var", "end=exit 1", code=1)


class SecretInARefusal(SecretCase):
    """A sentence that quotes what was found does not quote a secret, in no face."""

    def test(self):
        self.write("drydock.yaml", HEAD.replace("vars: {", "vars: { api_token: {},") + """
  - uses: http-check
    with: { url: "http://127.0.0.1:9", status: "${{ vars.api_token }}" }
""")
        for more in ([], ["--json"], ["--events"]):
            output = self.drydock("plan", "--var", "api_token=" + VARIABLE, *more, code=2)
            self.assertIn("found '***' (a text)", output)
            self.assertNotIn(VARIABLE, output)


class NoCoreIsLeft(SecretCase):
    """A worker that crashes, and what it started, leave no core with all that they knew."""

    def test(self):
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        if hard == 0:
            self.skipTest("nothing may leave a core here")
        self.write("drydock.yaml", HEAD + ENDS)
        self.drydock("run", "--yes", "--var", "end=ulimit -c > limit", code=0,
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (hard, hard)))
        self.assertEqual(self.read("limit"), "0\n")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"] + sys.argv[1:])
