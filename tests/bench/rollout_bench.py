#!/usr/bin/env python3
"""What a rollout costs, for each of its environments, all of them on this machine.

    tests/bench/rollout_bench.py [--bin build/bin/drydock] [--counts 10,100,1000] [--json]

Each environment's run has five `exec: [/bin/true]`; 16 run at once. Of each count of environments:
  wall         until the rollout has passed; 1,000 on two cores                 60 s
  cpu          of all processes together, for one environment; from 10 to
               1,000 environments                                         constant
  memory       peak of the supervisor                                       96 MiB
  alone        CPU of the same pipeline as `drydock run`, for scale
  ansible      the same five commands by ansible-core on 50 hosts with `-f 16`:
               how many times more CPU and time one of its hosts takes          8
Nothing is judged here and no test calls this: a machine under load is slower, so read the CPU times and
the ratios. Without ansible-playbook that comparison is named as not measured.
"""
import argparse
import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

PIPELINE = "drydock: 1\nname: bench\nstages:\n" + "".join(
    f"  - {{ id: s{n}, uses: exec, with: {{ command: [/bin/true] }} }}\n" for n in range(5))
AT_ONCE = 16
HOSTS = 50


def become_subreaper():
    """The runs of a rollout outlive it; their CPU time is counted where they are reaped."""
    pr_set_child_subreaper = 36
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_child_subreaper, 1, 0, 0, 0)


def measure(arguments, directory):
    """Wall and CPU seconds with all that it started, and its own peak memory in bytes."""
    def cpu():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime
    cpu_before, began = cpu(), time.monotonic()
    with open(os.path.join(directory, "printed"), "wb+") as printed:
        process = subprocess.Popen(arguments, cwd=directory, stdin=subprocess.DEVNULL, stdout=printed,
                                   stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if status != 0:
            printed.seek(0)
            sys.exit(f"rollout_bench: {arguments[0]} ended with {process.returncode}: "
                     + printed.read()[-2000:].decode(errors="replace"))
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return wall, cpu() - cpu_before, usage.ru_maxrss * 1024


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def rollout(drydock, folder, count):
    write(f"{folder}/bench.yaml", PIPELINE)
    lines = ["drydock: 1", "rollout: bench", "pipeline: bench.yaml", "environments:"]
    for number in range(count):
        os.makedirs(f"{folder}/e{number}")
        lines.append(f"  e{number}: {{ dir: e{number} }}")
    lines += ["waves:", f"  - {{ name: all, environments: all, parallel: {min(count, AT_ONCE)} }}"]
    write(f"{folder}/rollout.yaml", "\n".join(lines) + "\n")
    return measure([drydock, "rollout", "run", "rollout.yaml", "--yes"], folder)


def alone(drydock, folder, runs=20):
    write(f"{folder}/drydock.yaml", PIPELINE)
    measure([drydock, "run", "--yes"], folder)
    return sum(measure([drydock, "run", "--yes"], folder)[1] for _ in range(runs)) / runs


def ansible(folder):
    if shutil.which("ansible-playbook") is None:
        return None
    write(f"{folder}/hosts", "".join(f"h{n} ansible_connection=local\n" for n in range(HOSTS)))
    tasks = "".join("    - ansible.builtin.command: /bin/true\n" for _ in range(5))
    write(f"{folder}/play.yaml", f"- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}")
    return measure(["ansible-playbook", "-i", "hosts", "-f", str(AT_ONCE), "play.yaml"], folder)


def in_folder(work, *arguments):
    with tempfile.TemporaryDirectory(prefix="drydock-rollout-bench-", dir="/var/tmp") as folder:
        return work(*arguments, folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bin", default=os.path.join(os.path.dirname(__file__), "../../build/bin/drydock"))
    parser.add_argument("--counts", default="10,100,1000")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    drydock = os.path.realpath(options.bin)
    become_subreaper()
    result = {"alone_cpu_ms": in_folder(lambda folder: alone(drydock, folder)) * 1000, "rollouts": {}}
    for count in (int(each) for each in options.counts.split(",")):
        wall, cpu, memory = in_folder(lambda folder, n=count: rollout(drydock, folder, n))
        result["rollouts"][count] = {"wall_s": wall, "cpu_ms_each": cpu / count * 1000,
                                     "wall_ms_each": wall / count * 1000, "memory_mib": memory / 2**20}
    measured = in_folder(ansible)
    if measured is not None:
        result["ansible"] = {"wall_ms_each": measured[0] / HOSTS * 1000, "cpu_ms_each": measured[1] / HOSTS * 1000}
    if options.json:
        print(json.dumps(result, indent=2))
        return
    print(f"a run alone: {result['alone_cpu_ms']:.1f} ms of CPU")
    for count, one in result["rollouts"].items():
        print(f"{count:>5} environments: {one['wall_s']:.1f} s; each {one['wall_ms_each']:.1f} ms, "
              f"{one['cpu_ms_each']:.1f} ms of CPU; supervisor {one['memory_mib']:.1f} MiB")
    if measured is None:
        print("ansible: not measured, ansible-playbook is not installed")
        return
    best = max(result["rollouts"].items())[1]
    for what, unit in (("wall_ms_each", "time"), ("cpu_ms_each", "CPU")):
        print(f"ansible: a host takes {result['ansible'][what]:.1f} ms of {unit}, "
              f"{result['ansible'][what] / best[what]:.1f} times as much")


if __name__ == "__main__":
    main()
