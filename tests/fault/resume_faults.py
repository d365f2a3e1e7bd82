#!/usr/bin/env python3
"""Runs that were interrupted or stopped and go on: `drydock resume`."""
import json
import os
import sys
import tempfile
import unittest

from case import PIPELINE, Case

# The last stage of PIPELINE, which says that it has begun and waits for a line.
WAIT = PIPELINE[PIPELINE.index("  - id: wait"):]


class ResumedAfterAKill(Case):
    """The interrupted stage is begun again, what was done before is not, and outputs are kept."""

    def setUp(self):
        super().setUp()
        self.write("drydock.yaml", PIPELINE.replace(
            "echo new > data", "echo new > data; echo change >> done").replace(
            "read line < go", "read line < go; echo wait >> done") + """
  - uses: exec
    with:
      command: [/bin/sh, -c, "echo $0 >> done", "${{ vars.last }} ${{ before.env.WHO }} ${{ env.WHO }}"]
vars: { last: { default: last } }
finally:
  - id: tell
    uses: exec
    with: { command: [/bin/sh, -c, "echo tell >> done"] }
""")
        self.write(".env", "WHO=before\n")

    def interrupt(self):
        process, pid = self.start_and_wait_for_the_second_stage()
        self.kill(process)
        self.assert_gone(pid)

    def go_on(self, *arguments, code=0):
        """The second stage waits for a line again."""
        process = self.start("resume", "--yes", *arguments)
        self.read("begun")
        self.let_go_on()
        output = process.stdout.read()
        self.assertEqual(process.wait(), code, output)
        return output

    def test(self):
        process = self.start("run", "--yes", "--var", "last=chosen")
        pid = int(self.read("begun"))
        self.kill(process)
        self.assert_gone(pid)
        self.assertIn("resume 1", self.drydock("status", code=4))
        self.assertEqual(self.read("done"), "change\n")
        self.write(".env", "WHO=now\n")  # nothing that the run was planned from
        output = self.go_on()
        self.assertIn("goes on with stage 'wait'", output)
        self.assertEqual(self.read("done"), "change\nwait\nchosen before now\ntell\n")
        self.drydock("status", code=0)
        self.assertIn("has ended", self.drydock("resume", "--yes", code=2))
        # The whole run can still be undone, from facts of before its first change.
        self.drydock("rollback", "--yes", "--accept-loss", code=0)
        self.assertEqual(self.read("data"), "old\n")


class ResumedOnlyUnchanged(ResumedAfterAKill):
    def test(self):
        self.interrupt()
        pipeline = self.read("drydock.yaml")
        self.write("drydock.yaml", pipeline + "# a comment\n")
        refused = self.drydock("resume", "--yes", code=2)
        self.assertIn("drydock.yaml had SHA-256", refused)
        self.assertIn("--force", refused)
        self.write("drydock.yaml", pipeline.replace("id: wait", "id: waits"))
        self.assertIn("has now change (exec), waits (exec)",
                      self.drydock("resume", "--yes", "--force", code=2))
        self.assertEqual(self.read("done"), "change\n")
        self.write("drydock.yaml", pipeline + "# a comment\n")
        self.assertIn("going on all the same", self.go_on("--force"))
        self.assertEqual(self.read("done"), "change\nwait\nlast before before\ntell\n")


class ResumedAsItWasBegun(ResumedAfterAKill):
    """The interrupted stage goes on with its journaled options; when it fails all is put back."""

    def test(self):
        self.interrupt()
        self.write("drydock.yaml", self.read("drydock.yaml").replace("echo wait >> done", "exit 7"))
        process = self.start("resume", "--yes", "--force")
        self.read("begun")
        os.unlink(self.path("done"))
        os.mkdir(self.path("done"))  # so that the command as it was planned fails now
        self.let_go_on()
        output = process.stdout.read()
        self.assertEqual(process.wait(), 1, output)
        self.assertNotIn("code 7", output)
        self.assertEqual(self.read("data"), "old\n")
        self.assertEqual(self.read("undone"), "wait\nchange\n")


class ResumedAfterAStop(Case):
    """`on_failure: stop` leaves the run to a person, who mends the reason and goes on."""

    def test(self):
        self.write("drydock.yaml", PIPELINE.replace(
            "echo $$ > begun; read line < go", "test -e mended && echo wait >> did")
            + "on_failure: stop\n")
        self.drydock("run", "--yes", code=3)
        self.drydock("resume", "--yes", code=3)
        self.write("mended", "")
        self.drydock("resume", "--yes", code=0)
        self.assertEqual(self.read("did"), "wait\n")
        self.drydock("status", code=0)


class ResumeNeedsWhatStagesRead(Case):
    """What an interrupted stage reads must be as it was planned; what the run wrote is no change."""

    def test(self):
        beside = tempfile.TemporaryDirectory(prefix="drydock-fault-release-")
        self.addCleanup(beside.cleanup)
        template = os.path.join(beside.name, ".env.example")
        self.write(template, "A=2\nB=1\n")
        self.write(".env.example", "A=1\n")
        self.write(".env", "A=1\n")
        wait = PIPELINE[PIPELINE.index("  - id: wait"):]
        self.write("drydock.yaml", "drydock: 1\nstages:\n  - uses: source\n"
                   f"    with: {{ directory: {beside.name} }}\n" + wait + "  - uses: env-sync\n")
        process, pid = self.start_and_wait_for_the_second_stage()
        self.kill(process)
        self.assert_gone(pid)
        self.assertEqual(self.read(".env.example"), "A=2\nB=1\n")
        self.write(template, "the stage that read it has ended")
        self.write(".env.example", "A=3\n")
        refused = self.drydock("resume", "--yes", code=2)
        self.assertIn("stage 'env-sync' reads", refused)
        self.write(".env.example", "A=2\nB=1\n")
        resumed = self.start("resume", "--yes")
        self.read("begun")
        self.let_go_on()
        output = resumed.stdout.read()
        self.assertEqual(resumed.wait(), 0, output)
        self.assertIn("B=1", self.read(".env"))


class ResumeCase(Case):
    def interrupt(self, **options):
        """In the stage that waits."""
        process = self.start("run", "--yes", **options)
        pid = int(self.read("begun"))
        self.kill(process)
        self.assert_gone(pid)

    def go_on(self, **options):
        process = self.start("resume", "--yes", **options)
        self.read("begun")
        self.let_go_on()
        output = process.stdout.read()
        self.assertEqual(process.wait(), 0, output)
        return output


class ResumeWithoutItsSecret(ResumeCase):
    """It is missed before anything goes on, by its name and never by its value."""

    def test(self):
        secret = {**os.environ, "TEST_TOKEN": "correct-horse-battery"}
        self.write("drydock.yaml", "drydock: 1\nsecrets:\n  token: { env: TEST_TOKEN }\nstages:\n" + WAIT + """
  - uses: exec
    with:
      command: [/bin/sh, -c, 'test "$TOKEN" = correct-horse-battery && echo last >> done']
      secret_environment: { TOKEN: "${{ secrets.token }}" }
""")
        self.interrupt(env=secret)
        begun = os.open(self.path("begun"), os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, begun)
        self.assertIn("TEST_TOKEN", self.drydock("resume", "--yes", code=2))
        self.assertEqual(os.read(begun, 100), b"", "the stage was begun again")
        self.go_on(env=secret)
        self.assertEqual(self.read("done"), "last\n")


class ResumedWithAContinuedStage(ResumeCase):
    """A stage that failed, was put back alone and went on: neither is done again."""

    def test(self):
        self.write("drydock.yaml", """
drydock: 1
stages:
  - id: optional
    uses: exec
    on_failure: continue
    with:
      command: [/bin/sh, -c, "echo tried >> tries; exit 7"]
      rollback: [/bin/sh, -c, "echo undone >> tries"]
""" + WAIT)
        self.interrupt()
        self.assertEqual(self.read("tries"), "tried\nundone\n")
        self.go_on()
        self.assertEqual(self.read("tries"), "tried\nundone\n")
        self.drydock("rollback", "--yes", "--accept-loss", code=0)
        self.assertEqual(self.read("tries"), "tried\nundone\n")
        self.assertEqual(self.read("undone"), "wait\n")


class ResumedInAParallelBlock(ResumeCase):
    """Of a block's stages only those are begun again that had not ended."""

    def test(self):
        self.write("drydock.yaml", """
drydock: 1
stages:
  - parallel:
    - id: quick
      uses: exec
      with: { command: [/bin/sh, -c, "echo quick >> done; echo outcome"] }
""" + "".join("  " + line + "\n" for line in WAIT.strip("\n").splitlines()) + """
  - uses: exec
    with: { command: [/bin/sh, -c, "echo $0 >> done", "${{ stages.quick.outputs.result }}"] }
""")
        process, pid = self.start_and_wait_for_the_second_stage()
        events = self.start("logs", "1", "--events", "--follow")
        for line in events.stdout:
            event = json.loads(line)
            if event["type"] == "stage.finished" and event["stage"] == "quick":
                break
        self.kill(process)
        self.assert_gone(pid)
        self.assertIn("wait", self.drydock("status", code=4))
        self.assertEqual(self.read("done"), "quick\n")
        self.go_on()
        self.assertEqual(self.read("done"), "quick\noutcome\n")
        self.assertIn("done", self.drydock("history", code=0))


class RolledBackWithTheSecretOfBefore(ResumeCase):
    """A secret that is a value of `.env` is, in a rollback, the one that the stage ran with."""

    def test(self):
        self.write(".env", "TOKEN=correct-horse-battery\n")
        self.write("drydock.yaml", """
drydock: 1
secrets:
  token: { dotenv: TOKEN }
stages:
  - id: with-secret
    uses: exec
    with:
      command: [/bin/true]
      rollback: [/bin/sh, -c, 'test "$TOKEN" = correct-horse-battery && echo same >> undone']
      secret_environment: { TOKEN: "${{ secrets.token }}" }
  - id: change-env
    uses: exec
    with: { command: [/bin/sh, -c, "echo TOKEN=another-horse-battery > .env"] }
""" + WAIT)
        self.interrupt()
        self.assertEqual(self.read(".env"), "TOKEN=another-horse-battery\n")
        self.drydock("rollback", "--yes", code=0)
        self.assertEqual(self.read("undone"), "wait\nsame\n")


class NoSavedPlanHoldsASecret(Case):
    """A value of `.env` that is secret by its name may have come in by a variable, too."""

    def test(self):
        self.write(".env", "SECRET_KEY=correct-horse-battery\n")
        self.write("drydock.yaml", """
drydock: 1
vars: { word: { default: none }, api_token: null }
stages:
  - uses: exec
    with: { command: [/bin/echo, "${{ vars.word }}"] }
""")
        self.assertIn("'api_token'", self.drydock("plan", "--out", self.path("saved"), "--var",
                                                  "api_token=1", code=2))
        refused = self.drydock("plan", "--out", self.path("saved"), "--var",
                               "word=correct-horse-battery", code=2)
        self.assertNotIn("correct-horse-battery", refused)
        self.assertIn("'word'", refused)
        self.assertFalse(os.path.exists(self.path("saved")))
        self.drydock("plan", "--out", self.path("saved"), "--var", "word=harmless", code=0)
        self.drydock("run", "--yes", "--plan", self.path("saved"), code=0)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "--verbose", *sys.argv[1:]])
