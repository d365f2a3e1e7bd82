"""A rollout over ssh to hosts of the test's own."""
import json
import os
import sqlite3
import unittest

import ssh_host
from case import DRYDOCK, PIPELINE, Case

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
