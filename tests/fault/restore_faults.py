#!/usr/bin/env python3
"""A database of a real PostgreSQL, which an upgrade spoils: what its restore takes out of the way, and what a
person does where it cannot be restored. By the real binary, from what it prints."""
import contextlib
import glob
import json
import os
import re
import subprocess
import sys
import unittest

from case import DRYDOCK, Case

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from servers import PostgreSQL, running  # noqa: E402

PIPELINE = """
drydock: 1
name: spoils
secrets:
  db: {{ env: SPOILED_DB }}
stages:
  - uses: backup
    with: {{ wait: 2s, databases: [{{ url: "${{{{ secrets.db }}}}" }}] }}
  - id: spoil
    uses: exec
    with:
      command: [psql, -q, -h, {folder}, -U, app, -d, app, -c, "DROP TABLE note; CREATE TABLE spoiled (a int)"]
      rollback: [/bin/true]
  - {{ id: fails, uses: exec, with: {{ command: [/bin/sh, -c, {then}], rollback: [/bin/true] }} }}
"""


class Spoiled(Case):
    then = "exit 1"

    def setUp(self):
        super().setUp()
        if not PostgreSQL.installed():
            self.skipTest("PostgreSQL 15 is not installed")
        servers = contextlib.ExitStack()
        self.addCleanup(servers.close)
        self.server, _ = servers.enter_context(running(PostgreSQL))
        self.server.client("createdb", "app")
        self.server.sql("app", "CREATE TABLE note AS SELECT generate_series(1, 10) AS a")
        self.write("drydock.yaml", PIPELINE.format(folder=self.server.folder, then=json.dumps(self.then)))
        self.environment = dict(os.environ, SPOILED_DB=self.server.url)

    def drydock(self, *arguments, code):
        return super().drydock(*arguments, code=code, env=self.environment)

    def databases(self):
        names = self.server.sql("template1", "SELECT datname FROM pg_database WHERE datname LIKE 'app%' ORDER BY 1")
        return names.split("\n")

    def assert_restored(self):
        self.assertEqual(self.server.sql("app", "SELECT sum(a) FROM note"), "55")


class SetAsideGoesWhenItIsAskedFor(Spoiled):
    def runTest(self):
        self.drydock("run", "--yes", code=1)
        self.assert_restored()
        self.assertEqual(self.databases(), ["app", "app_failed_1"])
        self.assertIn("app_failed_1", self.drydock("backups", "list", code=0))

        self.server.stop()
        self.assertIn("app_failed_1", self.drydock("backups", "prune", "--set-aside", "--yes", code=3))
        self.server.start()
        self.drydock("backups", "prune", "--set-aside", "--keep", "1", "--yes", code=0)
        self.assertEqual(self.databases(), ["app", "app_failed_1"])
        said = self.drydock("backups", "prune", "--set-aside", "--yes", "--json", code=0)
        self.assertEqual([one["database"] for one in json.loads(said)["set_aside"]], ["app_failed_1"])
        self.assertEqual(self.databases(), ["app"])
        self.assert_restored()
        self.assertNotIn("set aside", self.drydock("backups", "list", code=0))


class SetAsideGoesWithItsRun(Spoiled):
    def runTest(self):
        for run in (1, 2):
            self.drydock("run", "--yes", code=1)
        self.assertEqual(self.databases(), ["app", "app_failed_1", "app_failed_2"])
        self.server.stop()
        self.drydock("backups", "prune", "--keep", "1", "--yes", code=3)
        self.assertEqual(len(json.loads(self.drydock("history", "--json", code=0))), 2)
        self.server.start()
        said = self.drydock("backups", "prune", "--keep", "1", "--yes", code=0)
        self.assertIn("database app_failed_1", said)
        self.assertEqual(self.databases(), ["app", "app_failed_2"])
        self.assertEqual(len(json.loads(self.drydock("history", "--json", code=0))), 1)
        self.assert_restored()


class WhereTheDumpIsDamaged(Spoiled):
    """The dump is damaged before the rollback, and good again after it: what the screen says to do is done."""
    then = ("cp .drydock/backups/1/backup/databases/*/app.dump good && "
            "truncate -s -1 .drydock/backups/1/backup/databases/*/app.dump; exit 1")

    def runTest(self):
        said = self.drydock("run", "--yes", code=3)
        self.assertIn("NOT wholly put back", said)
        self.assertEqual(self.server.sql("app", "SELECT count(*) FROM spoiled"), "0", "it was left alone")
        self.assertEqual(self.databases(), ["app"])
        commands = re.findall(r"^ +(drydock -C .*)$", said, re.M)
        wanted = ["show 1", "logs 1", "rollback 1", "backups verify 1 --stage backup",
                  "backups restore 1 --stage backup"]
        self.assertEqual([one[-len(want):] for one, want in zip(commands, wanted)], wanted)
        self.assertEqual(len(commands), len(wanted))
        _, _, rollback, verify, restore = commands
        self.pasted(rollback + " --yes", code=3)
        self.assertIn("bytes, written were", self.pasted(verify, code=5))
        self.assertIn("SHA-256", self.pasted(restore + " --yes", code=2))
        dump, = glob.glob(glob.escape(self.dir) + "/.drydock/backups/1/backup/databases/*/app.dump")
        os.replace(self.path("good"), dump)
        self.pasted(verify, code=0)
        self.pasted(restore + " --yes", code=0)
        self.assert_restored()

    def pasted(self, command, code):
        """As it is printed, into a shell."""
        folder = os.path.dirname(os.path.abspath(DRYDOCK))
        environment = dict(self.environment, PATH=folder + ":" + os.environ["PATH"])
        done = subprocess.run(["sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60, env=environment)
        self.assertEqual(done.returncode, code, command + "\n" + done.stdout)
        return done.stdout


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "--verbose", *sys.argv[1:]])
