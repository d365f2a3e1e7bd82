#!/usr/bin/env python3
"""How fast a dump streams through `backup`, beside the client alone, and what memory that takes.

    tests/bench/dump_bench.py [--bin build/bin/drydock] [--megabytes 256] [--runs 3]

Starts a MariaDB and a PostgreSQL of its own on local sockets, fills a table, and then takes turns:
the client alone into a file, and a `drydock run` of `backup` with that database by its URL. Speed is
the client's time over the time that the manifest says the dump took (target: 0.9); memory is the
peak of the worker (target: 16 MiB). Nothing is judged here and no test calls this.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from servers import MariaDB, PostgreSQL, running  # noqa: E402


def watch(pid, peaks):
    """The peak resident memory of each drydock-stage below the process, until it ends."""
    while pid.poll() is None:
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if (entry / "comm").read_text() != "drydock-stage\n":
                    continue
                status = (entry / "status").read_text()
            except OSError:
                continue
            for line in status.splitlines():
                if line.startswith("VmHWM:"):
                    peaks.append(int(line.split()[1]) * 1024)
        time.sleep(0.02)


def through_drydock(binary, deployment):
    shutil.rmtree(deployment / ".drydock", ignore_errors=True)
    began = time.monotonic()
    process = subprocess.Popen([binary, "-C", deployment, "run", "--yes"],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    peaks = []
    watcher = threading.Thread(target=watch, args=(process, peaks))
    watcher.start()
    output = process.communicate()[0]
    watcher.join()
    if process.returncode != 0:
        sys.exit(f"bench: {output.decode(errors='replace')}")
    manifest = next(deployment.glob(".drydock/backups/1/backup/manifests/*.json"))
    said = json.loads(manifest.read_text())
    return said["seconds"], said["contents"][0]["bytes"], max(peaks), time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default="build/bin/drydock")
    parser.add_argument("--megabytes", type=int, default=256)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    binary = os.path.abspath(arguments.bin)
    for product in (MariaDB, PostgreSQL):
        with running(product) as (server, folder):
            server.fill(arguments.megabytes)
            deployment = folder / "deployment"
            deployment.mkdir()
            (deployment / "drydock.yaml").write_text(json.dumps({
                "drydock": 1, "name": "bench", "stages": [
                    {"uses": "backup", "with": {"databases": [{"url": server.url}]}}]}))
            alone, streamed, whole, peaks, size = [], [], [], [], 0
            for turn in range(arguments.runs + 1):
                target = folder / "alone"
                began = time.monotonic()
                with open(target, "wb") as file:
                    server.dump(file)  # in a session of its own, as a worker's, for the scheduler
                seconds = time.monotonic() - began
                os.unlink(target)
                through, size, peak, all_of_it = through_drydock(binary, deployment)
                peaks.append(peak)
                if turn == 0:
                    continue  # warms the caches
                alone.append(seconds)
                streamed.append(through)
                whole.append(all_of_it)
            client, ours = statistics.median(alone), statistics.median(streamed)
            print(f"{product.__name__:10}  {size / 1e6:7.0f} MB  client alone {client:5.2f} s  "
                  f"streamed {ours:5.2f} s  speed {client / ours:4.2f}  "
                  f"memory {max(peaks) / 2**20:4.1f} MiB  whole run {statistics.median(whole):5.2f} s")


if __name__ == "__main__":
    main()
