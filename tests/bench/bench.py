#!/usr/bin/env python3
"""Times Drydock as a whole process and prints medians and ratios.

    tests/bench/bench.py [--bin build/bin/drydock] [--runs N] [--json]

Figures, each the median of N runs after a warm-up, with the target it is held against:
  version        `drydock --version`                                       5 ms
  validate       a pipeline of 40 stages, plugin cache warm               15 ms
  exec           a pipeline of 100 `exec: [/bin/true]`, for each stage:
                 plan worker, run worker, journal on disk                  6 ms
  memory         peak of the largest process of that run                  32 MiB
  rollback       a finished run of five stages that changed files only:
                 source, env-sync, backup, exec, exec                     80 ms
  fdatasync      what this disk needs for one, for scale
  note           what a note costs: how much longer the same stages take
                 when each remembers one, in fdatasyncs of this disk;
                 and, where strace is installed, how many fsyncs and
                 fdatasyncs more that run makes for each of them            2
  env_run_new    a whole `drydock run` of [backup of .env, env-sync with
                 `proof: own`] on Dify 1.13.0 -> 1.14.0, new journal      25 ms
  env_run        the same with a journal that exists                      20 ms
  env_copy       `cp` and `sync` of that file, for scale: 2.7 ms where those
                 two targets were set
  env_merge      that merge alone: read, evaluate, decide, write, prove    1 ms
  env_million    a merge of 1,000,000 variables, a tenth of them new       1.5 s
                 defaults, in files as wide as Dify's
  env_memory     the most memory of that, in sizes of the file            12
  revisions      1,000 revision files of 3 KB read and ordered, in memory  50 ms
  event          an event written into the log of a run                  1000 us
  stages_cold    `drydock stages` with 200 light plugins that it does not
                 know yet: each is probed                                  1000 ms
  stages_warm    the same when it knows them                              30 ms
  ansible        the same hundred commands as a playbook on localhost, and
                 how many times longer that takes                         25 times
Nothing is judged here and no test calls this: a machine under load is slower, so read the ratios.
What is not installed (ansible-playbook, strace), built (tests/revision_bench, tests/event_bench) or there (Dify's
templates in $DRYDOCK_SHARED_DATA/dify) is named as not measured.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

STAGES = 100


def run(arguments, directory):
    """Wall seconds and peak memory (bytes) of one process with its children."""
    began = time.monotonic()
    with open(os.devnull, "wb") as null:
        process = subprocess.Popen(arguments, cwd=directory, stdin=subprocess.DEVNULL, stdout=null,
                                   stderr=subprocess.PIPE)
        complaint = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    if status != 0:
        sys.exit(f"bench: {' '.join(arguments)} failed ({status}): {complaint.decode(errors='replace')}")
    return seconds, usage.ru_maxrss * 1024


def median(runs, arguments, directory_for):
    results = []
    for number in range(runs + 1):
        result = run(arguments, directory_for(number))
        if number > 0:
            results.append(result)
    return statistics.median(r[0] for r in results), max(r[1] for r in results)


def pipeline(stages):
    lines = ["drydock: 1", "name: bench", "stages:"]
    for number in range(stages):
        lines += [f"  - id: s{number}", "    uses: exec", "    with: {command: [/bin/true]}"]
    return "\n".join(lines) + "\n"


def noting(stages):
    """The same, each with a note: the rollback is what `exec` remembers something for."""
    return pipeline(stages).replace("[/bin/true]}", "[/bin/true], rollback: [/bin/true]}")


FILES_ONLY = """
drydock: 1
name: bench
stages:
  - uses: source
    with: {directory: ../release}
  - uses: env-sync
    with: {template: .env.example}
  - uses: backup
    with: {files: [data]}
  - id: first
    uses: exec
    with: {command: [/bin/touch, one], rollback: [/bin/rm, -f, one]}
  - id: second
    uses: exec
    with: {command: [/bin/touch, two], rollback: [/bin/rm, -f, two]}
"""


def upgraded(drydock, deployment, release):
    """A deployment on which FILES_ONLY has run to its end."""
    os.makedirs(release, exist_ok=True)
    os.makedirs(f"{deployment}/data")
    write(f"{deployment}/drydock.yaml", FILES_ONLY)
    for number in range(20):
        write(f"{deployment}/data/{number}", "kept\n" * 1000)
        write(f"{deployment}/config-{number}", "old\n" * 100)
        write(f"{release}/config-{number}", "new\n" * 100)
    for folder, names, value in ((deployment, 100, "old"), (release, 120, "new")):
        write(f"{folder}/.env.example", "".join(f"NAME_{n}={value}\n" for n in range(names)))
    shutil.copy(f"{deployment}/.env.example", f"{deployment}/.env")
    run([drydock, "run", "--yes"], deployment)


SYNC_ENV = """
drydock: 1
name: bench
stages:
  - uses: backup
    with: {files: [.env]}
  - uses: env-sync
    with: {template: .env.example, proof: own}
"""


def dify_env(deployment, dify):
    """A deployment with the `.env` of 1.13.0 and the template of 1.14.0."""
    os.makedirs(deployment, exist_ok=True)
    write(f"{deployment}/drydock.yaml", SYNC_ENV)
    for tag, name in (("1.13.0", ".env"), ("1.14.0", ".env.example")):
        with open(f"{dify}/{tag}/.env.example", encoding="utf-8") as file:
            write(f"{deployment}/{name}", file.read())


def million(folder):
    """An old template and a new one, 1,000,000 variables each, 80 bytes of file for each as in Dify's."""
    old, new = f"{folder}/million.old", f"{folder}/million.new"
    for path, value in ((old, "old"), (new, "new")):
        with open(path, "w", encoding="utf-8") as file:
            for number in range(1_000_000):
                changed = value if number % 10 == 0 else "same"
                file.write(f"# What the setting number {number} is for\n"
                           f"SECTION_{number}_SETTING={changed}-{number}\n\n")
    return old, new


def merge_figures(program, *files):
    return json.loads(subprocess.run([program, *files], check=True, capture_output=True, text=True).stdout)


def syncs(arguments, directory):
    """How often the process and its children call fsync and fdatasync."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as log:
        run(["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", log.name, *arguments], directory)
        return sum("sync(" in line for line in log)


def playbook(tasks):
    lines = ["- hosts: localhost", "  connection: local", "  gather_facts: false", "  tasks:"]
    for number in range(tasks):
        lines += [f"    - name: s{number}", "      command: /bin/true"]
    return "\n".join(lines) + "\n"


def fdatasync_seconds(directory):
    samples = []
    with open(os.path.join(directory, "sync"), "wb", buffering=0) as file:
        for _ in range(50):
            file.write(b"x" * 4096)
            began = time.monotonic()
            os.fdatasync(file.fileno())
            samples.append(time.monotonic() - began)
    return statistics.median(samples)


def measured_by(program):
    """What such a program as tests/bench/revision_bench.cc measures, in its unit."""
    said = subprocess.run([program, "--benchmark_format=json"], check=True, capture_output=True, text=True)
    return json.loads(said.stdout)["benchmarks"][0]["real_time"]


def many_plugins(light, folder, count=200):
    """Copies of a plugin that differ in their names."""
    os.mkdir(folder, 0o755)
    with open(light, "rb") as file:
        content = file.read()
    for number in range(count):
        with open(f"{folder}/light-{number:03}.so", "wb") as file:
            file.write(content.replace(b"light-000", f"light-{number:03}".encode()))


def stages_ms(drydock, folder, runs):
    """Cold and warm medians of `drydock stages`."""
    words = [drydock, "stages", "--plugin-dir", f"{folder}/plugins"]
    cold, warm = [], []
    kept = os.environ.get("XDG_CACHE_HOME")
    for number in range(runs):
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache/{number}"
        os.makedirs(os.environ["XDG_CACHE_HOME"])
        cold.append(run(words, folder)[0] * 1e3)
        warm += [run(words, folder)[0] * 1e3 for _ in range(3)]
    if kept is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = kept
    return statistics.median(cold), statistics.median(warm)


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=os.path.join(here, "../../build/bin/drydock"))
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    drydock = os.path.abspath(arguments.bin)
    merge = os.path.join(os.path.dirname(drydock), "env_merge_bench")
    dify = os.path.join(os.environ.get("DRYDOCK_SHARED_DATA", os.path.join(here, "../../../shared/data")), "dify")
    figures = {}
    # On a disk, not in memory: the journal's fsyncs are part of what is measured.
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="drydock-bench-") as folder:
        write(f"{folder}/drydock.yaml", pipeline(STAGES))
        write(f"{folder}/forty.yaml", pipeline(40))

        def same(_):
            return folder

        # Never a folder whose state was just deleted: ext4 hesitates to use deleted inodes again, and
        # a tenth of the time would be its search.
        def fresh(number):
            deployment = f"{folder}/{number}"
            os.mkdir(deployment)
            shutil.copy(f"{folder}/drydock.yaml", deployment)
            return deployment

        def with_notes(number):
            deployment = f"{folder}/notes/{number}"
            os.makedirs(deployment)
            write(f"{deployment}/drydock.yaml", noting(STAGES))
            return deployment

        def finished(number):
            deployment = f"{folder}/files/{number}"
            upgraded(drydock, deployment, f"{folder}/files/release")
            return deployment

        figures["version_ms"] = median(arguments.runs * 3, [drydock, "--version"], same)[0] * 1e3
        figures["validate_ms"] = median(arguments.runs * 3, [drydock, "validate", "forty.yaml"], same)[0] * 1e3
        whole, memory = median(arguments.runs, [drydock, "run", "--yes"], fresh)
        figures["exec_ms_a_stage"] = whole * 1e3 / STAGES
        figures["exec_whole_s"] = whole
        figures["memory_mib"] = memory / 2**20
        figures["fdatasync_ms"] = fdatasync_seconds(folder) * 1e3
        noted = median(arguments.runs, [drydock, "run", "--yes"], with_notes)[0]
        figures["note_in_fdatasyncs"] = (noted - whole) * 1e3 / STAGES / figures["fdatasync_ms"]
        if shutil.which("strace"):
            counts = [syncs([drydock, "run", "--yes"], deployment)
                      for deployment in (with_notes("counted"), fresh("counted"))]
            figures["note_syncs"] = (counts[0] - counts[1]) / STAGES
        undo = [drydock, "rollback", "--yes", "--accept-loss"]
        figures["rollback_ms"] = median(arguments.runs, undo, finished)[0] * 1e3

        if os.path.isdir(dify):
            def new_journal(number):
                dify_env(f"{folder}/env/{number}", dify)
                return f"{folder}/env/{number}"

            def known_journal(_):
                dify_env(f"{folder}/env/0", dify)
                return f"{folder}/env/0"

            sync = [drydock, "run", "--yes"]
            figures["env_run_new_ms"] = median(arguments.runs * 3, sync, new_journal)[0] * 1e3
            figures["env_run_ms"] = median(arguments.runs * 3, sync, known_journal)[0] * 1e3
            copy = ["sh", "-c", "cp .env copy && sync copy"]
            figures["env_copy_ms"] = median(arguments.runs * 3, copy, known_journal)[0] * 1e3
            templates = [f"{dify}/{tag}/.env.example" for tag in ("1.13.0", "1.14.0", "1.13.0")]
            figures["env_merge_ms"] = merge_figures(merge, *templates)["ms"]
        old, new = million(folder)
        whole_merge = merge_figures(merge, old, new, old)
        figures["env_million_s"] = whole_merge["ms"] / 1e3
        figures["env_memory"] = whole_merge["memory_in_files"]

        for name, figure in (("revision", "revisions_ms"), ("event", "event_us")):
            program = os.path.join(os.path.dirname(drydock), f"../tests/{name}_bench")
            if os.path.exists(program):
                figures[figure] = measured_by(program)
        light = os.path.join(os.path.dirname(drydock), "../tests/bench/light.so")
        if os.path.exists(light):
            os.mkdir(f"{folder}/stages")
            many_plugins(light, f"{folder}/stages/plugins")
            cold, warm = stages_ms(drydock, f"{folder}/stages", arguments.runs)
            figures["stages_cold_ms"], figures["stages_warm_ms"] = cold, warm
        ansible = shutil.which("ansible-playbook")
        if ansible:
            write(f"{folder}/playbook.yaml", playbook(STAGES))
            theirs = median(1, [ansible, "-i", "localhost,", "playbook.yaml"], same)[0]
            figures["ansible_ms_a_task"] = theirs * 1e3 / STAGES
            figures["ansible_ratio"] = theirs / whole
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return
    targets = {"version_ms": "<= 5", "validate_ms": "<= 15", "exec_ms_a_stage": "<= 6", "memory_mib": "<= 32",
               "env_run_new_ms": "<= 25", "env_run_ms": "<= 20", "env_merge_ms": "<= 1", "env_million_s": "<= 1.5",
               "env_memory": "<= 12",
               "stages_cold_ms": "<= 1000", "stages_warm_ms": "<= 30",
               "rollback_ms": "<= 80", "revisions_ms": "<= 50", "event_us": "<= 1000",
               "note_in_fdatasyncs": "<= 2", "note_syncs": "<= 2", "ansible_ratio": ">= 25"}
    for name, value in figures.items():
        print(f"{name:18} {value:10.2f}   {targets.get(name, '')}")
    if "env_run_ms" not in figures:
        print(f"env_run            not measured: there are no templates in {dify}")
    if "note_syncs" not in figures:
        print("note_syncs         not measured: strace is not installed (package strace)")
    if "revisions_ms" not in figures:
        print("revisions          not measured: the build has no tests/revision_bench")
    if "event_us" not in figures:
        print("event              not measured: the build has no tests/event_bench")
    if "stages_warm_ms" not in figures:
        print("stages             not measured: the build has no tests/bench/light.so")
    if not ansible:
        print("ansible            not measured: ansible-playbook is not installed (package ansible-core)")


if __name__ == "__main__":
    main()
