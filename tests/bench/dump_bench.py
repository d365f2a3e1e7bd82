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
import tempfile
import threading
import time

PG = "/usr/lib/postgresql/15/bin/"


def as_user(name, words):
    """The servers refuse root."""
    if os.geteuid() != 0:
        return words
    return ["setpriv", f"--reuid={name}", f"--regid={name}", "--init-groups", *words]


class MariaDB:
    user = "mysql"

    def __init__(self, folder):
        self.socket = f"{folder}/socket"
        subprocess.run(as_user("mysql", [
            "mariadb-install-db", "--no-defaults", f"--datadir={folder}/data", "--skip-test-db",
            "--auth-root-authentication-method=normal", "--force"]),
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.process = subprocess.Popen(as_user("mysql", [
            "/usr/sbin/mariadbd", "--no-defaults", f"--datadir={folder}/data", "--skip-networking",
            f"--socket={self.socket}", f"--pid-file={folder}/pid", f"--log-error={folder}/log",
            "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=512M"]))
        subprocess.run(["mariadb-admin", "--no-defaults", f"--socket={self.socket}", "--user=root",
                        "--wait=60", "--connect-timeout=60", "ping"],
                       check=True, stdout=subprocess.DEVNULL)
        self.url = f"mariadb://root@localhost/app?socket={self.socket}"

    def client(self, *words, **more):
        return subprocess.run([words[0], "--no-defaults", f"--socket={self.socket}", "--user=root",
                               *words[1:]], check=True, **more)

    def fill(self, megabytes):
        rows = megabytes * 1000
        self.client("mariadb", input=f"""
            CREATE DATABASE app; USE app;
            CREATE TABLE note (id int PRIMARY KEY, author int, text text);
            INSERT INTO note SELECT seq, seq % 97, concat(repeat(md5(seq), 15), '''', repeat(sha1(seq), 12))
            FROM seq_1_to_{rows};""", text=True)

    def dump(self, file):
        self.client("mariadb-dump", "--single-transaction", "--quick", "--routines", "--triggers",
                    "--events", "--hex-blob", "--no-tablespaces", "app", stdout=file,
                    start_new_session=True)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class PostgreSQL:
    user = "postgres"

    def __init__(self, folder):
        self.folder = folder
        subprocess.run(as_user("postgres", [
            PG + "initdb", "--no-sync", "--no-locale", "--encoding=UTF8", "--username=app",
            "--auth=trust", "--pgdata", f"{folder}/data"]), check=True, stdout=subprocess.DEVNULL)
        self.process = subprocess.Popen(as_user("postgres", [
            PG + "postgres", "-D", f"{folder}/data", "-c", "listen_addresses=", "-c", "fsync=off",
            "-c", f"unix_socket_directories={folder}"]), stderr=subprocess.DEVNULL)
        while subprocess.run([PG + "pg_isready", "-q", "-h", folder]).returncode != 0:
            time.sleep(0.1)
        self.url = f"postgresql://app@/app?host={folder}"

    def client(self, *words, **more):
        return subprocess.run([PG + words[0], "-h", self.folder, "-U", "app", *words[1:]], check=True,
                              **more)

    def fill(self, megabytes):
        self.client("createdb", "app")
        # Half of it goes away by compression.
        self.client("psql", "-q", "-d", "app", "-c", f"""
            CREATE TABLE note AS SELECT n AS id, n % 97 AS author,
              (SELECT string_agg(md5((n * 31 + i)::text), '') FROM generate_series(1, 31) i) AS text
            FROM generate_series(1, {megabytes * 1000}) n""")

    def dump(self, file):
        # By the name that the stage calls it by: Debian's pg_dump is a Perl script that finds the real one.
        subprocess.run(["pg_dump", "-h", self.folder, "-U", "app", "--format=custom", "--compress=1",
                        "app"], stdout=file, start_new_session=True, check=True)

    def stop(self):
        self.process.terminate()
        self.process.wait()


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
        with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="drydock-bench-") as folder:
            if os.geteuid() == 0:
                shutil.chown(folder, product.user, product.user)
            os.chmod(folder, 0o755)
            server = product(folder)
            try:
                server.fill(arguments.megabytes)
                deployment = pathlib.Path(folder) / "deployment"
                deployment.mkdir()
                (deployment / "drydock.yaml").write_text(json.dumps({
                    "drydock": 1, "name": "bench", "stages": [
                        {"uses": "backup", "with": {"databases": [{"url": server.url}]}}]}))
                alone, streamed, whole, peaks, size = [], [], [], [], 0
                for turn in range(arguments.runs + 1):
                    target = f"{folder}/alone"
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
            finally:
                server.stop()


if __name__ == "__main__":
    main()
