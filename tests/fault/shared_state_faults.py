#!/usr/bin/env python3
"""Rollouts whose state several machines share: a PostgreSQL server of the test's own, which is
restarted in the middle, and supervisors in two folders, as on two machines. Run by ctest, one class a
test."""
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import unittest

from case import DRYDOCK, PIPELINE, Case, Terminal

PROGRAMS = "/usr/lib/postgresql/15/bin/"
PASSWORD = "correct-horse-battery"
ROLLOUT = """
drydock: 1
rollout: faulty
pipeline: {dir}/sample.yaml
environments:
  a: {{ dir: "{dir}/a" }}
  b: {{ dir: "{dir}/b" }}
waves:
  - {{ name: first, environments: [a] }}
  - {{ name: second, environments: [b] }}
"""


class Server:
    """Reachable by its socket alone, and by a password alone; not as root, which it refuses."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="drydock-pg-", dir="/var/tmp")
        self.before = []
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.before = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        with open(self.folder + "/password", "w", encoding="utf-8") as file:
            file.write(PASSWORD + "\n")
        self.perform("initdb", "--no-sync", "--no-locale", "--encoding=UTF8", "--username=app",
                     "--auth=scram-sha-256", f"--pwfile={self.folder}/password",
                     f"--pgdata={self.folder}/data")
        self.start()
        self.url = f"postgresql://app:{PASSWORD}@/postgres?host={self.folder}"

    def perform(self, program, *words, **options):
        return subprocess.run([*self.before, PROGRAMS + program, *words], check=True, text=True, cwd="/",
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60, **options).stdout

    def start(self):
        subprocess.run([*self.before, PROGRAMS + "pg_ctl", f"--pgdata={self.folder}/data", "--wait",
                        f"--log={self.folder}/log", "--options",
                        f"-c listen_addresses= -c fsync=off -c unix_socket_directories={self.folder}", "start"],
                       check=True, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=60)

    def stop(self):
        self.perform("pg_ctl", f"--pgdata={self.folder}/data", "--wait", "--mode=immediate", "stop")

    def sql(self, statement):
        environment = {**os.environ, "PGPASSWORD": PASSWORD}
        return self.perform("psql", "-XqAt", "-h", self.folder, "-U", "app", "-d", "postgres", "-c", statement,
                            env=environment).strip()

    def session(self):
        """psql, which performs what is written to it."""
        return subprocess.Popen([*self.before, PROGRAMS + "psql", "-XqAt", "-h", self.folder, "-U", "app", "-d",
                                 "postgres", "-v", "ON_ERROR_STOP=1"], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True, cwd="/",
                                env={**os.environ, "PGPASSWORD": PASSWORD})

    def close(self):
        self.stop()
        shutil.rmtree(self.folder)


class SharedCase(Case):
    def setUp(self):
        super().setUp()
        if not os.access(PROGRAMS + "initdb", os.X_OK):
            self.skipTest("PostgreSQL is not installed")
        self.server = Server()
        self.addCleanup(self.server.close)
        self.write("sample.yaml", PIPELINE)
        for name in "ab":
            os.mkdir(self.path(name))
            self.write(f"{name}/data", "old\n")
            self.fifo(f"{name}/begun")
            self.fifo(f"{name}/go")
        for machine in ("one", "two"):
            os.mkdir(self.path(machine))
            self.write(f"{machine}/rollout.yaml", ROLLOUT.format(dir=self.dir))
        self.write("state", self.server.url + "\n")
        os.chmod(self.path("state"), 0o600)

    def words(self, machine, action, *more):
        return ("rollout", action, self.path(f"{machine}/rollout.yaml"), "--state", self.path("state"), *more)

    def let_go(self, name):
        with open(self.path(f"{name}/go"), "w", encoding="utf-8") as go:
            go.write("go\n")

    def ended(self, process, code):
        output = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, code, output)
        self.assertNotIn(PASSWORD, output)
        return " ".join(output.split())

    def assert_ran_once(self, name):
        printed = self.drydock("-C", self.path(name), "history", code=0)
        self.assertEqual(printed.count("run "), 1, printed)


class SharedStateTakenOver(SharedCase):
    """One supervisor stands still until another one takes over; when it wakes up it does nothing more."""

    def test(self):
        first = self.start(*self.words("one", "run", "--yes"))
        self.read("a/begun")
        with open(f"/proc/{first.pid}/cmdline", encoding="utf-8") as words:
            self.assertNotIn(PASSWORD, words.read())
        for action in (("run", "--yes"), ("resume",)):
            refusal = self.drydock(*self.words("two", *action), code=4)
            self.assertIn(f"process {first.pid} of", refusal)
        self.assertIn("runs in the wave 'first'", self.drydock(*self.words("two", "status"), code=0))
        first.send_signal(signal.SIGSTOP)
        self.server.sql("UPDATE rollout_leases SET until = 1")  # as time goes by
        self.assertIn("was left", self.drydock(*self.words("two", "status"), code=4))
        second = self.start(*self.words("two", "resume"))
        self.assertIn("found again", self.line_with(second, "found again"))
        first.send_signal(signal.SIGCONT)
        self.let_go("a")
        self.assertIn(f"taken over the rollout 'faulty' (process {second.pid} of", self.ended(first, 4))
        self.read("b/begun")
        self.let_go("b")
        self.assertIn("has passed: 2 done", self.ended(second, 0))
        for name in "ab":
            self.assert_ran_once(name)
            self.assertEqual(self.read(f"{name}/data"), "new\n")
        self.assertEqual(self.server.sql("SELECT fence, until FROM rollout_leases"), "2|0")

    def line_with(self, process, text):
        for line in process.stdout:
            if text in line:
                return line
        return ""


class SharedStateDeadSupervisor(SharedCase):
    """One that was killed is not waited for where it was, and elsewhere until it counts as dead."""

    def test(self):
        first = self.start(*self.words("one", "run", "--yes"))
        self.read("a/begun")
        self.kill(first)
        self.assertIn("another process carries out", self.drydock(*self.words("two", "resume"), code=4))
        again = self.start(*self.words("one", "resume"))
        for name in "ab":
            if name == "b":
                self.read("b/begun")
            self.let_go(name)
        self.ended(again, 0)
        for name in "ab":
            self.assert_ran_once(name)


class SharedStateRestarted(SharedCase):
    """The server goes away while an environment runs, and comes back after that has ended; each time it is
    said."""

    def test(self):
        process = self.start(*self.words("one", "run", "--yes"))
        for name in "ab":
            self.read(f"{name}/begun")
            self.server.stop()
            self.let_go(name)
            # The run does not wait for it.
            self.drydock("-C", self.path(name), "attach", code=0)
            refusal = self.drydock(*self.words("two", "status"), code=2)
            self.assertIn("cannot be reached", refusal)
            self.assertNotIn(PASSWORD, refusal)
            self.server.start()
        output = self.ended(process, 0)
        self.assertEqual(output.count("the shared state does not answer"), 2, output)
        self.assertEqual(output.count("the shared state answers again"), 2, output)
        self.assertIn("has passed: 2 done", output)
        for name in "ab":
            self.assert_ran_once(name)
        self.assertEqual(
            self.server.sql("SELECT environment, run, rollout_name, state FROM drydock_runs ORDER BY 1"),
            "a|1|faulty|done\nb|1|faulty|done")
        self.assertEqual(self.server.sql("SELECT name, state, done FROM drydock_rollouts"), "faulty|passed|2")


class SharedStateTwoAtOnce(SharedCase):
    """Of two that begin at the same moment one does."""

    def test(self):
        both = [self.start(*self.words(machine, "run", "--yes")) for machine in ("one", "two")]
        for name in "ab":
            self.read(f"{name}/begun")
            self.let_go(name)
        outputs = [process.communicate(timeout=60)[0] for process in both]
        self.assertEqual(sorted(process.returncode for process in both), [0, 4], outputs)
        for name in "ab":
            self.assert_ran_once(name)
        self.assertEqual(self.server.sql("SELECT COUNT(*) FROM rollouts"), "1")


class SharedStateTakenOverAtTheQuestion(SharedCase):
    """Who reads the question for long is not heard of, and holds nobody up. The answer begins nothing then,
    and hides nothing of what others have begun."""

    def test(self):
        first = Terminal(self, *self.words("one", "run"))
        first.read_until("Go ahead?")
        self.server.sql("UPDATE rollout_leases SET until = 1")  # as time goes by
        second = self.start(*self.words("two", "run", "--yes"))
        self.read("a/begun")
        first.type("y\n")
        first.read_until(f"taken over the rollout 'faulty' (process {second.pid} of")
        self.assertEqual(first.process.wait(timeout=60), 4)
        self.assertEqual(self.server.sql("SELECT COUNT(*) FROM rollouts"), "1")
        self.let_go("a")
        self.read("b/begun")
        self.let_go("b")
        self.assertIn("has passed: 2 done", self.ended(second, 0))
        for name in "ab":
            self.assert_ran_once(name)


class SharedStateReadOnceItIsHeld(SharedCase):
    """What others do until a supervisor has the rollout to itself counts: it acts on nothing that it has
    read before."""
    newer = """
CREATE TEMP TABLE one ON COMMIT DROP AS SELECT * FROM rollouts;
CREATE TEMP TABLE its_targets ON COMMIT DROP AS SELECT * FROM rollout_targets;
CREATE TEMP TABLE its_waves ON COMMIT DROP AS SELECT * FROM rollout_waves;
UPDATE one SET id = 2, token = 'other';
UPDATE its_targets SET rollout = 2;
UPDATE its_waves SET rollout = 2;
INSERT INTO rollouts SELECT * FROM one;
INSERT INTO rollout_targets SELECT * FROM its_targets;
INSERT INTO rollout_waves SELECT * FROM its_waves;
UPDATE rollout_targets SET state = 'waiting', run = 0 WHERE rollout = 2;
"""

    def does_meanwhile(self, meanwhile, *action):
        """What it says when `meanwhile` is done while it waits for its lease."""
        session = self.server.session()
        session.stdin.write("BEGIN; LOCK TABLE rollout_leases IN EXCLUSIVE MODE; SELECT 'held';\n")
        session.stdin.flush()
        self.assertEqual(session.stdout.readline(), "held\n")
        process = self.start(*self.words("two", *action))
        while self.server.sql("SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == "0":
            self.assertIsNone(process.poll(), "it did not wait")
        self.assertEqual(session.communicate(meanwhile + "; COMMIT;\n", timeout=60)[0], "")
        self.assertEqual(session.returncode, 0)
        return self.ended(process, 2)

    def test(self):
        first = self.start(*self.words("one", "run", "--yes"))
        self.read("a/begun")
        self.kill(first)
        self.let_go("a")
        self.drydock("-C", self.path("a"), "attach", code=0)
        self.server.sql("UPDATE rollout_leases SET until = 1")
        output = self.does_meanwhile("UPDATE rollouts SET state = 'passed', exit_code = 0", "resume")
        self.assertIn("has ended (passed)", output)
        self.server.sql("UPDATE rollout_targets SET state = 'done', run = 1 WHERE name = 'a'")
        output = self.does_meanwhile(self.newer, "rollback", "--yes", "--accept-loss")
        self.assertIn("no environment of the rollout 'faulty' stands upgraded", output)
        self.assertEqual(self.read("a/data"), "new\n")


class SharedStateIsNamedWithoutAPassword(SharedCase):
    def test(self):
        refusal = self.drydock("rollout", "status", "faulty", "--state", self.server.url, code=2)
        self.assertIn("found a URL with a password", refusal)
        self.assertNotIn(PASSWORD, refusal)
        os.chmod(self.path("state"), 0o644)
        self.assertIn("chmod 600", self.drydock(*self.words("one", "status"), code=2))
        environment = {**os.environ, "STATE_OF_TEST": self.server.url}
        said = self.drydock("rollout", "history", "--state", "env:STATE_OF_TEST", code=0, env=environment)
        self.assertIn("no run is known", said)
        environment = {**os.environ, "DRYDOCK_STATE": self.server.url}
        said = self.drydock("rollout", "status", "faulty", code=2, env=environment)
        self.assertIn(f"no rollout 'faulty' was begun in postgresql://app@/postgres", said)


if __name__ == "__main__":
    unittest.main()
