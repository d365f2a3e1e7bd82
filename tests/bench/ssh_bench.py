#!/usr/bin/env python3
"""What a rollout over ssh costs beside the logins that it cannot do without.

    tests/bench/ssh_bench.py [--bin build/bin/drydock] [--environments 100] [--json]

An sshd of its own on loopback stands for every host, so all of its CPU time counts too. 16 at once:
  logins       bare `ssh HOST true`, one for each host
  runs         the same pipeline on as many local environments, without ssh
  rollout      of one stage on all of the hosts, with what is asked of each before
  ratio        rollout / (logins + runs), by time; at most                     1.5
Nothing is judged here and no test calls this: a machine under load is slower.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../fault"))
import ssh_host  # noqa: E402

AT_ONCE = 16
PIPELINE = "drydock: 1\nname: bench\nstages:\n  - { uses: exec, with: { command: [/bin/true] } }\n"


def start_sshd(folder, host):
    """A server that takes any number of logins at once. Its configuration is that of a test's host."""
    host.away()
    port = host.port
    with open(os.path.join(folder, "sshd_config"), "w", encoding="utf-8") as file:
        with open(os.path.join(host.folder, "sshd_config"), encoding="utf-8") as of_tests:
            file.write(of_tests.read() + f"MaxStartups 1000\nListenAddress 127.0.0.1:{port}\n")
    return subprocess.Popen([ssh_host.SSHD, "-D", "-e", "-f", os.path.join(folder, "sshd_config")],
                            stderr=subprocess.DEVNULL)


def timed(run):
    began = time.monotonic()
    run()
    return time.monotonic() - began


def logins(config, names):
    waiting, running = list(names), []
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            running.append(subprocess.Popen(["ssh", "-F", config, "-o", "BatchMode=yes", waiting.pop(), "true"],
                                            stdin=subprocess.DEVNULL))
        pid, status = os.wait()
        for each in running:
            if each.pid == pid:
                each.returncode = os.waitstatus_to_exitcode(status)
        if status != 0:
            sys.exit("ssh_bench: a login failed")
        running = [each for each in running if each.returncode is None]


def rollout(drydock, folder, names, remote):
    kind = "far" if remote else "near"
    environments = []
    for name in names:
        place = os.path.join(folder, kind, name)
        os.makedirs(place)
        host = f"host: {name}, " if remote else ""
        environments.append(f"  {name}: {{ {host}dir: {place} }}\n")
    file = os.path.join(folder, kind + ".yaml")
    with open(file, "w", encoding="utf-8") as out:
        out.write(f"drydock: 1\nrollout: {kind}\npipeline: bench.yaml\n"
                  f"ssh: {{ command: [ssh, -F, ssh/config] }}\nenvironments:\n" + "".join(environments) +
                  f"waves: [{{ name: all, environments: all, parallel: {AT_ONCE} }}]\n")
    done = subprocess.run([drydock, "rollout", "run", file, "--yes", "--json"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"ssh_bench: the rollout ended with {done.returncode}: {done.stdout[-2000:]}")


def measure(drydock, folder, count):
    host = ssh_host.Host(os.path.join(folder, "host"), drydock)
    client = ssh_host.Client(os.path.join(folder, "ssh"))
    host.let_in(client.public_key)
    names = [f"h{number}" for number in range(count)]
    for name in names:
        client.add(name, host.port, host.host_key)
    with open(os.path.join(folder, "bench.yaml"), "w", encoding="utf-8") as file:
        file.write(PIPELINE)
    sshd = start_sshd(folder, host)
    try:
        while subprocess.run(["ssh", "-F", client.config, "-o", "BatchMode=yes", names[0], "true"], check=False,
                             stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL).returncode != 0:
            if sshd.poll() is not None:
                sys.exit("ssh_bench: sshd does not start")
        bare = timed(lambda: logins(client.config, names))
        near = timed(lambda: rollout(drydock, folder, names, False))
        far = timed(lambda: rollout(drydock, folder, names, True))
    finally:
        sshd.kill()
        sshd.wait()
        host.close()
    return {"environments": count, "logins_s": bare, "runs_s": near, "rollout_s": far,
            "ratio": far / (bare + near)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=os.path.join(os.path.dirname(__file__), "../../build/bin/drydock"))
    parser.add_argument("--environments", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if ssh_host.missing():
        sys.exit("ssh_bench: " + ssh_host.missing())
    with tempfile.TemporaryDirectory(prefix="drydock-ssh-bench-", dir="/var/tmp") as folder:
        result = measure(os.path.realpath(arguments.bin), folder, arguments.environments)
    if arguments.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:14} {value:.2f}" if isinstance(value, float) else f"{name:14} {value}")


if __name__ == "__main__":
    main()
