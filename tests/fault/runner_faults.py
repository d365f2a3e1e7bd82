#!/usr/bin/env python3
"""What happens to a deployment when the runner is killed, cancelled, or watched.

A stage tells the test where it is through a FIFO, and waits on another one: nothing here sleeps to
be in time. Run by ctest, one class a test; `runner_faults.py CLASS` runs one by hand.
"""
import json
import os
import signal
import subprocess
import sys
import unittest

from case import DRYDOCK, PIPELINE, Case, Terminal


class KilledInAStage(Case):
    def test(self):
        process, pid = self.start_and_wait_for_the_second_stage()
        self.kill(process)
        self.assert_gone(pid)
        status = self.drydock("status", code=4)
        for word in ("run 1", "'wait'", "step run", "rollback 1"):
            self.assertIn(word, status)
        self.assertIn("interrupted", self.drydock("run", "--yes", code=4))
        self.assertEqual(self.read("data"), "new\n")
        self.drydock("rollback", "--yes", code=0)
        self.assertEqual(self.read("data"), "old\n")
        self.assertEqual(self.read("undone"), "wait\nchange\n")
        self.drydock("status", code=0)


class KilledInARollback(Case):
    def test(self):
        process, _ = self.start_and_wait_for_the_second_stage()
        self.kill(process)
        self.fifo("hold")
        again = self.start("rollback", "--yes")
        # Opening for writing returns once the rollback of `wait` reads: it is in the middle of it.
        with open(self.path("hold"), "w", encoding="utf-8"):
            self.kill(again)
        os.unlink(self.path("hold"))
        self.assertIn("rolled back", self.drydock("status", code=4))
        self.drydock("rollback", "--yes", code=0)
        self.assertEqual(self.read("data"), "old\n")


class RolledBackTwice(Case):
    def test(self):
        process, _ = self.start_and_wait_for_the_second_stage()
        self.kill(process)
        self.drydock("rollback", "--yes", code=0)
        self.assertIn("already", self.drydock("rollback", "--yes", code=2))
        self.assertEqual(self.read("undone"), "wait\nchange\n")


class LockedOut(Case):
    def test(self):
        process, _ = self.start_and_wait_for_the_second_stage()
        for command in ("run", "rollback"):
            self.assertIn(str(process.pid), self.drydock(command, "--yes", code=4))
        self.assertIn("running", self.drydock("history", code=0))
        self.let_go_on()
        output = process.stdout.read()
        self.assertEqual(process.wait(), 0, output)
        self.assertEqual(self.read("data"), "new\n")


class OrphansEnded(Case):
    """A daemon that left its worker's session is ended, and named."""

    def test(self):
        self.write("drydock.yaml", PIPELINE.replace(
            "echo $$ > begun; read line < go", "setsid sleep 1000 & echo $! > daemon"))
        output = self.drydock("run", "--yes", code=0)
        pid = self.read("daemon").strip()
        self.assertIn(pid, output)
        self.assertIn("sleep", output)
        self.assert_gone(int(pid))


class OrphansOfAKillEnded(Case):
    """The same for one that outlived its worker and Drydock: the rollback ends it."""

    def test(self):
        self.write("drydock.yaml", PIPELINE.replace(
            "echo $$ > begun", "setsid sleep 1000 & echo $! > daemon; echo $$ > begun"))
        process, _ = self.start_and_wait_for_the_second_stage()
        pid = self.read("daemon").strip()
        self.kill(process)
        output = self.drydock("rollback", "--yes", code=0)
        # Or it was killed before it had become that program.
        self.assertRegex(output, rf"ended process {pid} \((setsid )?sleep 1000\)")
        self.assert_gone(int(pid))
        self.assertEqual(self.read("data"), "old\n")


class CancelledBySignal(Case):
    def test(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name):
                process, pid = self.start_and_wait_for_the_second_stage()
                process.send_signal(number)
                output = process.stdout.read()
                self.assertEqual(process.wait(), 130, output)
                self.assert_gone(pid)
                self.assertEqual(self.read("data"), "old\n")
                self.assertIn("ancelled", output)


class AskedBeforeARollbackIsCutOff(Case):
    """The first Ctrl-C rolls back; the second one, while that goes on, asks. On a terminal."""

    def test(self):
        self.fifo("hold")
        terminal = Terminal(self, "run", "--yes")
        process = terminal.process
        self.read("begun")
        process.send_signal(signal.SIGINT)
        with open(self.path("hold"), "w", encoding="utf-8"):  # once its rollback reads
            process.send_signal(signal.SIGINT)
            terminal.read_until("Stop it? [y/N]")
            terminal.type("n\n")
            process.send_signal(signal.SIGINT)
            terminal.read_until("Stop it? [y/N]")
            terminal.type("y\n")
            terminal.read_until("stopped on request")
        self.assertEqual(process.wait(), 3)
        os.unlink(self.path("hold"))
        self.assertIn("rolled back", self.drydock("status", code=4))
        self.drydock("rollback", "--yes", code=0)
        self.assertEqual(self.read("data"), "old\n")


class ASecondSignalWithoutATerminal(Case):
    """Nobody can be asked, so the rollback goes on, and says so."""

    def test(self):
        process, _ = self.start_and_wait_for_the_second_stage()
        self.fifo("hold")
        process.send_signal(signal.SIGTERM)
        with open(self.path("hold"), "w", encoding="utf-8") as hold:
            process.send_signal(signal.SIGTERM)
            output = ""
            while "the rollback goes on" not in output:
                output += process.stdout.readline()
            hold.write("go\n")
        output += process.stdout.read()
        self.assertEqual(process.wait(), 130, output)
        self.assertEqual(self.read("data"), "old\n")


class HangupIgnored(Case):
    def test(self):
        process, _ = self.start_and_wait_for_the_second_stage()
        process.send_signal(signal.SIGHUP)
        process.stdout.close()  # the terminal is gone as well
        self.let_go_on()
        self.assertEqual(process.wait(), 0)
        self.assertIn("done", self.drydock("history", code=0))


class OnlyTheWorkerLoadsPlugins(Case):
    def test(self):
        process, pid = self.start_and_wait_for_the_second_stage()
        with open(f"/proc/{process.pid}/maps", encoding="utf-8") as maps:
            runner = maps.read()
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            worker_pid = stat.read().rsplit(")", 1)[1].split()[1]
        with open(f"/proc/{worker_pid}/maps", encoding="utf-8") as maps:
            worker = maps.read()
        self.assertNotIn("drydock/stages/", runner)
        loaded = {line.split()[-1] for line in worker.splitlines() if "drydock/stages/" in line}
        self.assertEqual([os.path.basename(file) for file in loaded], ["exec.so"])


class SecretsStayOut(Case):
    """A secret that a command prints reaches neither the screen nor any file but its own."""

    def test(self):
        secret = "correct-horse-battery"
        self.write("drydock.yaml", """
drydock: 1
name: secretive
secrets:
  token: { env: TEST_TOKEN }
stages:
  - uses: exec
    with:
      command: [/bin/sh, -c, "echo token is $TOKEN; echo $TOKEN | base64; exit 7"]
      secret_environment: { TOKEN: "${{ secrets.token }}" }
""")
        done = subprocess.run([DRYDOCK, "-C", self.dir, "run", "--yes", "--events"],
                              env={**os.environ, "TEST_TOKEN": secret}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(b"token is ***", done.stdout)
        for event in done.stdout.splitlines():
            json.loads(event)
        written = [done.stdout]
        for folder, _, files in os.walk(self.path(".drydock")):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    written.append(file.read())
        self.assertGreater(len(written), 3)
        for text in written:
            self.assertNotIn(secret.encode(), text)
            self.assertNotIn(b"Y29ycmVjdC1ob3JzZS1iYXR0ZX", text)


class LogsEndWithTheirReader(Case):
    """Whoever follows a run for somebody who is gone would follow it for hours."""

    def test(self):
        process, _ = self.start_and_wait_for_the_second_stage()
        logs = self.start("logs", "1", "--events", "--follow")
        for line in logs.stdout:
            if "stage.started" in line and '"wait"' in line:
                break
        logs.stdout.close()
        # It may be about to write a line just then.
        self.assertIn(logs.wait(timeout=60), (0, -signal.SIGPIPE))
        self.let_go_on()
        self.assertEqual(process.wait(timeout=60), 0)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "--verbose", *sys.argv[1:]])
