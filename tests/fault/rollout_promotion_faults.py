#!/usr/bin/env python3
"""Environments of a wave that agree, disagree, or cannot tell what they verified. Run by ctest, one class a
test."""
import os
import subprocess
import unittest

from case import Case
from rollout_case import RolloutCase, lose_the_rest


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


if __name__ == "__main__":
    unittest.main()
