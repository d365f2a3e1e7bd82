#!/usr/bin/env python3
"""What becomes of a deployment when something goes wrong at any moment of a run, or of a rollback.

  matrix.py --bin BUILD/bin/drydock --shim FAULT_SHIM.so (--all | --sample SEED COUNT | --case CASE)

fault_shim.c counts every call by which a program changes the deployment or Drydock's state in it.
A case is `COMMAND:FAULT:PROGRAM:N:RECOVERY`: at the N-th call of PROGRAM the fault is injected into
COMMAND; where that leaves something to recover, RECOVERY follows. Then the deployment must be as it
was before, or done. Prints a table, and exits with 1 when one case ended in any other way.
"""
import argparse
import bisect
import collections
import json
import multiprocessing
import os
import pathlib
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

import deployment as sample

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scenarios"))
import world  # noqa: E402

LIMIT = 60  # seconds for one command: one that takes longer hangs
FAULTS = ("kill", "torn", "enospc", "eio")  # numbered from 1, as in fault_shim.c
MEANINGS = {
    "kill": "SIGKILL instead of the call",
    "torn": "SIGKILL in the middle of a write",
    "enospc": "the disk is full from this call on (ENOSPC)",
    "eio": "this one call fails (EIO)",
}
# The migration is a program of the operator's; killed, it leaves a half migrated database.
PROGRAMS = {"run": ("drydock", "drydock-stage", "migrate"), "rollback": ("drydock", "drydock-stage")}
# What a person would do where a run was interrupted, and how the deployment looks then.
RECOVERIES = {
    "rollback": (["rollback", "--yes"], "before"),
    "resume": (["resume", "--yes"], "done"),
}
MOST_CALLS = 4096
CONTROL = struct.Struct(f"=16s1024sIIQQ16s1024s{MOST_CALLS}s")
CRASHES = re.compile(r"terminate called|Traceback|Sanitizer|Segmentation|core dumped|did not foresee")

Case = collections.namedtuple("Case", "command fault program at recovery")
Ended = collections.namedtuple("Ended", "code output")
Result = collections.namedtuple("Result", "case outcome where call path problem output place")


class Control:
    """The file by which the shim is told what to do, and tells what it did."""

    def __init__(self, path):
        self.path = path

    def arm(self, root, program, fault, at):
        number = FAULTS.index(fault) + 1 if fault else 0
        self.path.write_bytes(CONTROL.pack(
            program.encode(), str(root).encode(), number, 0, at, 0, b"", b"", b""))

    def state(self):
        fields = CONTROL.unpack(self.path.read_bytes())
        text = [field.rstrip(b"\0").decode() for field in (fields[6], fields[7])]
        return {"hit": bool(fields[3]), "calls": fields[5], "call": text[0], "path": text[1],
                "can_be_torn": [torn == 1 for torn in fields[8]]}


class Place:
    """A deployment of its own, in which one case after the other is tried."""

    def __init__(self, path, given, hook):
        self.path = path
        self.binary, self.shim, self.keep = given.bin.resolve(), given.shim.resolve(), given.keep
        self.deployment = self.path / "deployment"
        self.control = Control(self.path / "control")
        self.environment = world.environment(self.path)
        self.environment["HOOK_URL"] = hook
        sample.build(self.path)
        sample.copy(self.deployment, self.path / "at-run")
        self.before = sample.look(self.deployment)
        self.must_end_well(self.drydock("run", "--yes"))
        self.done = sample.look(self.deployment)
        self.interrupt_late()

    def interrupt_late(self):
        """Keeps a deployment whose run was killed as late as there is something to roll back."""
        calls = range(1, len(self.count("run", "drydock")) + 1)
        # Once the run is done, a kill leaves nothing that waits.
        at = bisect.bisect_left(calls, True, key=self.is_done_when_killed)
        # From one run to the next the number may move by one.
        while at > 0 and self.is_done_when_killed(at):
            at -= 1
        wait_for_orphans()
        sample.copy(self.deployment, self.path / "at-rollback")
        self.interrupted = sample.look(self.deployment)

    def is_done_when_killed(self, at):
        self.faulty("run", "kill", "drydock", at)
        return self.status() == (0, "done")

    def must_end_well(self, ended):
        if ended.code != 0:
            raise SystemExit(f"without any fault it ends with {ended.code}:\n{ended.output}")

    def faulty(self, command, fault, program, at):
        """The command on a deployment as it is before it, with a fault."""
        self.reset(command)
        known = len(self.events())
        self.control.arm(self.deployment, program, fault, at)
        ended = self.drydock(command, "--yes", armed=True)
        self.came_at = self.where(known)
        return ended

    def reset(self, command):
        wait_for_orphans()
        sample.copy(self.path / f"at-{command}", self.deployment)
        for folder in (self.path / "runtime").iterdir():
            shutil.rmtree(folder)  # what a killed command was planning

    def drydock(self, *words, armed=False):
        environment = dict(self.environment)
        if armed:
            environment.update(LD_PRELOAD=str(self.shim), DRYDOCK_FAULT=str(self.control.path))
        process = subprocess.Popen(
            [self.binary, "-C", self.deployment, *words], env=environment, text=True,
            errors="backslashreplace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        try:
            output, _ = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            return Ended(f"no end after {LIMIT} s", output)
        return Ended(process.returncode, output)

    def status(self):
        """Whether something waits for a person, and the state of the last run."""
        ended = self.drydock("status", "--json")
        try:
            said = json.loads(ended.output)
            last = said["last_run"]
            return ended.code, last["state"] if last else "none"
        except ValueError:
            return ended.code, "unreadable: " + ended.output

    def events(self):
        """Of all runs; a line that a fault tore is left out."""
        found = []
        for log in sorted(self.deployment.glob(".drydock/logs/*/events.jsonl")):
            for line in log.read_bytes().splitlines():
                try:
                    found.append(json.loads(line))
                except ValueError:
                    pass
        return found

    def where(self, known):
        """Stage and step that the fault came in, as the events say that came after the known ones:
        the first step that failed, else the last that is told of."""
        place = "before its events"
        for event in self.events()[known:]:
            if "step" in event:
                place = f"{event['stage']} {event['step']}"
            if event["type"] == "run.started":
                place = "beginning"
            if event["type"] == "run.finished":
                place = "end"
            if event["type"] == "step.finished" and event["status"] != "ok":
                break
        return place

    def count(self, command, program):
        """The calls of a program when nothing goes wrong: for each, whether it can be torn."""
        self.must_end_well(self.faulty(command, None, program, 0))
        state = self.control.state()
        return state["can_be_torn"][:state["calls"]]


def wait_for_orphans():
    """What a killed Drydock leaves behind ends by itself. What does not is named."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.002)
        except ChildProcessError:
            return []
    return world.end_orphans()


def judge(place, case):
    """Carries out a case; (outcome, problem, output): a problem is "" when all is well."""
    ended = place.faulty(case.command, case.fault, case.program, case.at)
    output = ended.output
    killed = case.fault in ("kill", "torn") and case.program == "drydock"
    if CRASHES.search(output):
        return "", "it crashed", output
    hit = place.control.state()["hit"]
    if killed and hit:
        if ended.code != -signal.SIGKILL:
            return "", f"ended with {ended.code} although it was killed", output
    elif ended.code not in ((0, 1, 2, 3) if case.command == "run" else (0, 2, 3)):
        return "", f"ended with {ended.code}", output

    if ended.code == 2:  # refused
        found = place.before if case.command == "run" else place.interrupted
        problem = sample.difference(found, sample.look(place.deployment))
        if problem:
            return "", f"ended with 2 after a change: {problem}", output
    waits, state = place.status()
    outcome = "killed" if killed and hit else f"exit {ended.code}"
    if not hit:
        outcome += " (not reached)"
    if ended.code == 1 and waits != 0:
        return outcome, f"ended with 1, and then `status` with {waits}", output
    wanted = "before"
    if waits in (3, 4):
        recovery = case.recovery if state == "running" else "rollback"
        words, wanted = RECOVERIES[recovery]
        recovered = place.drydock(*words)
        output += f"$ drydock {' '.join(words)}\n{recovered.output}"
        if recovered.code == 2 and "before its first stage" in recovered.output:
            recovery = "rollback"  # there is nothing to go on with, and it says so
            words, wanted = RECOVERIES[recovery]
            recovered = place.drydock(*words)
            output += f"$ drydock {' '.join(words)}\n{recovered.output}"
        outcome += f", {recovery}"
        if recovered.code != 0 or CRASHES.search(recovered.output):
            return outcome, f"{recovery} ended with {recovered.code}", output
        waits, state = place.status()
    elif case.command == "run" and state == "done":
        wanted = "done"
    if waits != 0 or state in ("running", "rolling_back"):
        return outcome, f"`status` ends with {waits}, and says that the run is {state}", output
    if ended.code == 0 and case.command == "run" and wanted != "done":
        return outcome, "ended with 0 and is not done", output
    if ended.code in (1, 2, 3) and wanted == "done":
        return outcome, f"ended with {ended.code} and is done", output
    left = wait_for_orphans()
    problem = "; ".join(left) or \
        sample.difference(getattr(place, wanted), sample.look(place.deployment)) or \
        sample.kept_copies_problem(place.deployment)
    return f"{outcome}: {wanted}", problem, output


def take_place(places, free):
    """In each process that tries cases, which has the places from its parent."""
    global PLACE
    PLACE = places[free.get()]
    world.adopt_orphans()


def try_case(case):
    outcome, problem, output = judge(PLACE, case)
    hit = PLACE.control.state()
    path = hit["path"].replace(str(PLACE.deployment) + "/", "")
    kept = PLACE.path / f"kept-{'-'.join(str(part) for part in case)}"
    if problem and PLACE.keep:
        sample.copy(PLACE.deployment, kept)
    return Result(case, outcome, PLACE.came_at, hit["call"], path, problem, output, kept)


class Hook(threading.Thread):
    """Answers the stage that notifies."""

    def __init__(self):
        import http.server

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        super().__init__(target=self.server.serve_forever, daemon=True)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/"


def all_cases(calls):
    for (command, program), counted in calls.items():
        for fault in FAULTS:
            for at, can_be_torn in enumerate(counted, 1):
                if fault == "torn" and not can_be_torn:
                    continue  # the same as killing it
                # Only a run whose own process died can go on.
                interrupted = command == "run" and program == "drydock" and fault in ("kill", "torn")
                for recovery in RECOVERIES if interrupted else ["rollback"]:
                    yield Case(command, fault, program, at, recovery)


def table(title, rows):
    """Rows of keys -> outcome, counted."""
    counted = collections.Counter(rows)
    outcomes = collections.defaultdict(list)
    for (key, outcome), count in sorted(counted.items()):
        outcomes[key].append(f"{count} x {outcome}")
    widths = [max(len(key[i]) for key in [*outcomes, title]) for i in range(len(title))]
    print("\n" + "  ".join(name.ljust(width) for name, width in zip(title, widths)) + "  outcomes")
    for key, texts in outcomes.items():
        print("  ".join(part.ljust(width) for part, width in zip(key, widths)) + "  " +
              ", ".join(texts))


def report(results):
    print("\n" + "\n".join(f"{fault}: {meaning}" for fault, meaning in MEANINGS.items()))
    ended = [(result, "FAILED" if result.problem else result.outcome) for result in results]
    table(("command", "fault", "program", "at"),
          [((r.case.command, r.case.fault, r.case.program, r.where), outcome) for r, outcome in ended])
    table(("command", "fault", "program", "call"),
          [((r.case.command, r.case.fault, r.case.program, r.call or "-"),
            "FAILED" if r.problem else outcome.rsplit(": ")[-1]) for r, outcome in ended])
    good = sum(not result.problem for result in results)
    print(f"\n{good} of {len(results)} as before or done")
    return good == len(results)


def tell(result, keep):
    print(f"FAIL {':'.join(str(part) for part in result.case)} at {result.call} of {result.path} "
          f"({result.where}): {result.problem}")
    print("".join("     " + line + "\n" for line in result.output.splitlines()[-12:]), end="")
    if keep:
        print(f"     kept: {result.place}")
    sys.stdout.flush()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--bin", required=True, type=pathlib.Path)
    arguments.add_argument("--shim", required=True, type=pathlib.Path)
    chosen = arguments.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--all", action="store_true")
    chosen.add_argument("--sample", nargs=2, type=int, metavar=("SEED", "COUNT"))
    chosen.add_argument("--case", action="append")
    arguments.add_argument("--jobs", type=int, default=2)
    arguments.add_argument("--keep", action="store_true", help="keep the folders of what failed")
    given = arguments.parse_args()
    # SIGKILL tests no disk, so none is waited for where memory can hold the files.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    above = pathlib.Path(tempfile.mkdtemp(prefix="drydock-matrix-", dir=memory)).resolve()
    try:
        well = try_all(given, above)
    finally:
        if not given.keep:
            shutil.rmtree(above)
    sys.exit(0 if well else 1)


def try_all(given, above):
    hook = Hook()
    hook.start()
    world.adopt_orphans()
    places, free = [], multiprocessing.SimpleQueue()
    for job in range(given.jobs):
        path = above / str(job)
        path.mkdir()
        places.append(Place(path, given, hook.url))
        free.put(job)
    calls = {(command, program): places[0].count(command, program)
             for command, programs in PROGRAMS.items() for program in programs}
    print("calls without a fault: " +
          ", ".join(f"{len(counted)} of {program} in {command}"
                    for (command, program), counted in calls.items()))
    cases = list(all_cases(calls))
    if given.sample:
        cases = random.Random(given.sample[0]).sample(cases, given.sample[1])
    if given.case:
        cases = [Case(*(int(word) if word.isdigit() else word for word in case.split(":")))
                 for case in given.case]
    results = []
    with multiprocessing.Pool(given.jobs, take_place, (places, free)) as pool:
        for result in pool.imap(try_case, cases):
            results.append(result)
            if result.problem:
                tell(result, given.keep)
            if len(results) % 500 == 0:
                print(f"{len(results)} of {len(cases)} cases tried", flush=True)
    return report(results)


if __name__ == "__main__":
    main()
