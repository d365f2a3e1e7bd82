#!/usr/bin/env python3
"""Runs scenarios: folders of plain files that show what the real binary does. See README.md.

  run.py --bin BUILD/bin/drydock [--filter GLOB] [--update]

Prints PASS or FAIL, with a diff, for each; exits with 1 when one failed. --update writes what came
out into `output`, `exit` and `after/`, to be read before it is committed.
"""
import argparse
import difflib
import fnmatch
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import world

HERE = pathlib.Path(__file__).resolve().parent
# What a deployment has that no scenario lists.
IGNORED = {".drydock", "drydock.yaml"}
LIMIT = 60  # seconds for one command: far more than any needs


def lines_of(file):
    return file.read_text().splitlines() if file.exists() else []


class Scenario:
    """One folder, or one case of it where a file `each` lists several."""

    def __init__(self, folder, case=""):
        self.folder = folder
        self.case = case
        words = shlex.split(case)
        self.name = folder.name + (f"@{words[0]}" if words else "")
        self.values = {"each": words[0] if words else ""}
        self.values.update((str(i), word) for i, word in enumerate(words[1:], 1))

    def fill(self, text):
        """Replaces {name} by its value; other braces stay."""
        return re.sub(r"\{(\w+)\}", lambda m: self.values.get(m[1], m[0]), text)

    def commands(self):
        file = self.folder / "cmd"
        return [line for line in lines_of(file) if line and line[0] != "#"] or ["run --yes"]

    def expected_exits(self):
        codes = [int(self.fill(line)) for line in lines_of(self.folder / "exit")]
        return codes + [0] * (len(self.commands()) - len(codes))


def scenarios(pattern):
    for folder in sorted(path for path in HERE.iterdir() if (path / "about").exists()):
        cases = [line for line in lines_of(folder / "each") if line and line[0] != "#"]
        for scenario in [Scenario(folder, case) for case in cases] or [Scenario(folder)]:
            if fnmatch.fnmatch(scenario.name, pattern) or folder.name == pattern:
                yield scenario


class Trial:
    """A scenario carried out in a temporary place of its own."""

    def __init__(self, scenario, binary, place):
        self.scenario = scenario
        self.binary = binary
        self.place = pathlib.Path(place).resolve()
        self.deployment = self.place / "deployment"
        self.build = binary.parent.parent
        scenario.values.update(
            deployment=str(self.deployment), place=str(self.place), scenario=str(scenario.folder),
            drydock=str(binary),
            plugins=str(self.build / "lib/drydock/stages"),
            misbehaving=str(self.build / "tests/misbehaving"))
        self.environment = world.environment(self.place)
        for line in lines_of(scenario.folder / "env"):
            name, _, value = scenario.fill(line).partition("=")
            self.environment[name] = value

    def prepare(self):
        folder = self.scenario.folder
        if (folder / "before").is_dir():
            shutil.copytree(folder / "before", self.deployment, symlinks=True)
        else:
            self.deployment.mkdir()
        if (folder / "pipeline.yaml").exists():
            text = (folder / "pipeline.yaml").read_text()
            (self.deployment / "drydock.yaml").write_text(self.scenario.fill(text))
        if (folder / "generate.py").exists():
            subprocess.run(
                [sys.executable, "-I", folder / "generate.py", *self.scenario.values["each"].split()],
                cwd=self.deployment, env=self.environment, check=True, timeout=LIMIT)
        self.before = world.tree(self.deployment, IGNORED)

    def run(self):
        """All commands: what they printed, and their exit codes."""
        output, exits = "", []
        commands = self.scenario.commands()
        for command in commands:
            words = shlex.split(self.scenario.fill(command))
            if len(commands) > 1:
                output += f"$ drydock {command}\n"
            ended = subprocess.run(
                [self.binary, *words], cwd=self.deployment, env=self.environment, text=True,
                errors="backslashreplace", timeout=LIMIT, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            output += ended.stdout
            exits.append(ended.returncode)
        return self.normalised(output), exits

    def normalised(self, text):
        for path, token in ((self.deployment, "<deployment>"), (self.place, "<place>"),
                            (self.build, "<build>")):
            text = text.replace(str(path), token)
        text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| ?[+-]\d\d:?\d\d)?", "<date>", text)
        text = re.sub(r"\b\d+(\.\d+)? ?(ms|s)\b", "<time>", text)
        return text.replace(str(self.build.parent), "<repository>")


def pattern_of(line):
    """A line of `output` as a regular expression: <...> stands for anything."""
    return ".*".join(re.escape(part) for part in line.split("<...>"))


def matches(expected, found):
    """Do the lines fit? `...` alone stands for any number of lines."""
    if not expected:
        return not found
    if expected[0] == "...":
        return any(matches(expected[1:], found[i:]) for i in range(len(found) + 1))
    return bool(found) and bool(re.fullmatch(pattern_of(expected[0]), found[0])) and \
        matches(expected[1:], found[1:])


def diff(expected, found, what):
    return "\n".join(difflib.unified_diff(expected, found, f"expected {what}", f"found {what}",
                                          lineterm=""))


def judge(trial, output, exits):
    """What is wrong, as a list of texts; empty when nothing is."""
    scenario, wrong = trial.scenario, []
    if exits != scenario.expected_exits():
        wrong.append(f"exit codes: expected {scenario.expected_exits()}, found {exits}\n{output}")
    found = [line.rstrip() for line in output.splitlines()]
    if (scenario.folder / "output").exists():
        expected = [scenario.fill(line).rstrip() for line in lines_of(scenario.folder / "output")]
        if not matches(expected, found):
            wrong.append(diff(expected, found, "output"))
    for line in lines_of(scenario.folder / "never"):
        if scenario.fill(line) in output:
            wrong.append(f"the output contains {line!r}, which it never may")
        for file in world.files_containing(trial.place, scenario.fill(line)):
            wrong.append(f"{file} contains {line!r}, which nothing of ours may")
    # Without after/ nothing may have changed.
    after = scenario.folder / "after"
    wanted = world.tree(after, IGNORED, scenario.fill) if after.is_dir() else trial.before
    have = world.tree(trial.deployment, IGNORED)
    modes = dict(reversed(line.split(maxsplit=1)) for line in lines_of(scenario.folder / "modes"))
    wanted = world.listing(wanted, modes)
    found = world.listing(have, {path: f"{have[path][0]:04o}" for path in modes if path in have})
    if wanted != found:
        wrong.append(diff(wanted, found, "files"))
    if -9 not in exits:  # nobody can clear up after that
        wrong.extend(world.left_behind(trial.place))
    wrong.extend(world.too_open(trial.deployment / ".drydock"))
    return wrong


def update(trial, output, exits):
    folder = trial.scenario.folder
    (folder / "output").write_text(output)
    if any(exits):
        (folder / "exit").write_text("".join(f"{code}\n" for code in exits))
    have = world.tree(trial.deployment, IGNORED)
    if have != trial.before:
        shutil.rmtree(folder / "after", ignore_errors=True)
        shutil.copytree(trial.deployment, folder / "after", symlinks=True,
                        ignore=lambda _, names: IGNORED.intersection(names))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--filter", default="*", help="a scenario, or a glob of names")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--list", action="store_true", help="only name the scenarios")
    arguments = parser.parse_args()
    world.adopt_orphans()
    failed = total = 0
    for scenario in scenarios(arguments.filter):
        total += 1
        if arguments.list:
            print(scenario.name)
            continue
        with tempfile.TemporaryDirectory(prefix="drydock-scenario-") as place:
            trial = Trial(scenario, arguments.bin.resolve(), place)
            trial.prepare()
            try:
                output, exits = trial.run()
                # The runs of a rollout are detached ones.
                if any("--detach" in command or "rollout r" in command
                       for command in scenario.commands()):
                    world.await_detached()
                if arguments.update:
                    update(trial, output, exits)
                wrong = judge(trial, output, exits)
            except subprocess.TimeoutExpired as expired:
                wrong = [f"{expired.cmd} did not end within {LIMIT} s\n{expired.stdout}"]
            wrong.extend(world.end_orphans())
        print("FAIL" if wrong else "PASS", scenario.name)
        for problem in wrong:
            print(problem)
        failed += bool(wrong)
    if total == 0:
        sys.exit(f"no scenario is called {arguments.filter}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
