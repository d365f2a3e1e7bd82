#!/usr/bin/env python3
"""Carries out docs/writing-a-stage.md as it is printed, and compares what it shows.

  guide.py CLEAN_ROOT PREFIX WORK [--show]

In the guide, in this order from its first line to its last:

  ```console        lines after `$ ` are typed (`> ` goes on), the others are what appears
  Put this into `FILE`:     the next code block becomes that file
  `FILE` begins as:         the next code block is that file

`...` stands for any number of lines. Times, dates, hashes, sizes and the processor may
differ. Everything runs in one shell, in a root
that has an installed Drydock and no source (clean-root.sh). --show prints what appeared, for the guide.
"""
import pathlib
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field

HERE = pathlib.Path(__file__).resolve().parent
GUIDE = HERE.parents[1] / "docs/writing-a-stage.md"
sys.path.insert(0, str(HERE.parent / "scenarios"))
from run import diff, matches  # noqa: E402

MARK = "\x1e"


@dataclass
class Act:
    line: int
    command: str  # of bash
    shown: list = field(default_factory=list)


def acts_of(text):
    """The guide as commands and what each is to print."""
    acts, lines, at = [], text.splitlines(), 0
    before = ""
    while at < len(lines):
        line = lines[at]
        if not line.startswith("```"):
            before = line or before
            at += 1
            continue
        end = lines.index("```", at + 1)
        body = lines[at + 1:end]
        written = re.search(r"Put this into `([^`]+)`:$", before)
        begins = re.search(r"`([^`]+)` begins as:$", before)
        if line == "```console":
            acts += console(body, at + 2)
        elif written:
            acts.append(Act(at + 1, f"cat >{written[1]} <<'END_OF_FILE'\n" + "\n".join(body) +
                            "\nEND_OF_FILE"))
        elif begins:
            acts.append(Act(at + 1, f"cat {begins[1]}", body))
        before, at = "", end + 1
    return acts


def console(body, line):
    acts = []
    for number, text in enumerate(body):
        if text.startswith("$ "):
            acts.append(Act(line + number, text[2:]))
        elif text.startswith("> ") and acts[-1].command.endswith("\\"):
            acts[-1].command += "\n" + text[2:]
        else:
            acts[-1].shown.append(text)
    return acts


def script_of(acts):
    script = "cd ~\n"
    for number, act in enumerate(acts):
        quoted = "'" + act.command.replace("'", "'\\''") + "'"
        # What the command before it ended with is still $? in the next.
        script += (f"printf '{MARK}{number}\\n'\n(exit ${{code:-0}}); eval {quoted} 2>&1 </dev/null\n"
                   "code=$?\n")
    return script + f"printf '{MARK}end\\n'\n"


def normalised(line):
    line = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| ?[+-]\d\d:?\d\d)?", "<date>", line)
    line = re.sub(r"\b[0-9a-f]{64}\b", "<hash>", line)
    line = re.sub(r"\b\d+(\.\d+)? ?(ms|s|sec|kB|KB|MB|bytes|B)\b", "<amount>", line)
    line = re.sub(r" +<amount>", " <amount>", line)
    line = line.replace(platform.machine(), "<machine>").replace("x86_64", "<machine>")
    return line.rstrip()


def main():
    clean_root, prefix, work = sys.argv[1:4]
    shutil.rmtree(work, ignore_errors=True)
    pathlib.Path(work).mkdir(parents=True)
    acts = acts_of(GUIDE.read_text())
    ended = subprocess.run([clean_root, prefix, work, "bash", "-c", script_of(acts)], text=True,
                           errors="backslashreplace", stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if ended.returncode == 77:
        print(ended.stdout)
        sys.exit(77)
    parts = re.split(MARK + r"(?:\d+|end)\n", ended.stdout)
    if len(parts) != len(acts) + 2:
        sys.exit(f"the shell ended after {len(parts) - 2} of {len(acts)} commands:\n{ended.stdout}")
    wrong = 0
    for act, part in zip(acts, parts[1:]):
        if "--show" in sys.argv:
            print(f"$ {act.command}\n{part}", end="")
        expected = [normalised(line) for line in act.shown]
        found = [normalised(line) for line in part.splitlines()]
        if not matches(expected, found):
            wrong += 1
            print(f"docs/writing-a-stage.md:{act.line}: {act.command}")
            print(diff(expected, found, "output"))
    if wrong:
        sys.exit(f"{wrong} of {len(acts)} commands of the guide show something else")
    print(f"all {len(acts)} commands of the guide show what it says")


if __name__ == "__main__":
    main()
