#!/usr/bin/env python3
"""redis_run.py DRYDOCK PLUGINS: a run of the real drydock with the example redis-snapshot fails after a real Redis was
spoilt. What it held must be back, and its password nowhere.

`docker` is a script that does to one redis-server of this machine what the stage asks of Docker Compose; that server is
started by this program, as Docker's daemon would. Exit code 77: there is no redis-server.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

PASSWORD = "correct-horse-battery-staple"
DOCKER = """#!/bin/bash
# Only what the stage uses; everything else is an engine that does not answer.
here=${0%/*}
case " $* " in
  *" exec -T redis redis-cli ") exec redis-cli -s "$here/redis.sock" ;;
  *" ps "*) [ ! -S "$here/redis.sock" ] || echo 0123456789ab ;;
  *" stop redis ") kill "$(cat "$here/pid")"; read -r ended <"$here/stopped" ;;
  *" up "*) echo start >"$here/start"; read -r started <"$here/started" ;;
  *) echo "Cannot connect to the Docker daemon" >&2; exit 1 ;;
esac
"""
PIPELINE = """drydock: 1
name: shop
secrets:
  redis: { env: REDIS_PASSWORD }
stages:
  - uses: redis-snapshot
    with: { data: data, password: "${{ secrets.redis }}" }
  - uses: exec
    with:
      shell: true
      secret_environment: { REDISCLI_AUTH: "${{ secrets.redis }}" }
      command: "redis-cli -s bin/redis.sock FLUSHALL && redis-cli -s bin/redis.sock SET spoilt 1 && false"
      rollback: ["true"]
"""


class Redis:
    """The server, and what waits for the script's words."""

    def __init__(self, place):
        self.place = place
        self.bin = place / "bin"
        for name in ("start", "started", "stopped"):
            os.mkfifo(self.bin / name)
        self.start()
        threading.Thread(target=self.serve, daemon=True).start()

    def start(self):
        self.server = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.bin / "redis.sock", "--dir",
             self.place / "data", "--appendonly", "yes", "--requirepass", PASSWORD, "--pidfile",
             self.bin / "pid", "--daemonize", "no", "--logfile", self.place / "log"])
        while "PONG" not in self.ask("PING"):
            if self.server.poll() is not None:
                sys.exit((self.place / "log").read_text())
        threading.Thread(target=self.await_end, args=(self.server,), daemon=True).start()

    def await_end(self, server):
        server.wait()
        (self.bin / "redis.sock").unlink(missing_ok=True)
        (self.bin / "stopped").write_text("stopped\n")

    def serve(self):
        while (self.bin / "start").read_text():
            self.start()
            (self.bin / "started").write_text("started\n")

    def ask(self, *command):
        return subprocess.run(["redis-cli", "-s", self.bin / "redis.sock", *command], text=True,
                              env=dict(os.environ, REDISCLI_AUTH=PASSWORD), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT).stdout.strip()


def files_with(place, text):
    return [str(path) for path in place.rglob("*")
            if path.is_file() and text.encode() in path.read_bytes()]


def expect(holds, what):
    if not holds:
        sys.exit(f"this does not hold: {what}")


def main():
    drydock, plugins = (pathlib.Path(word).resolve() for word in sys.argv[1:])
    if not shutil.which("redis-server") or not shutil.which("redis-cli"):
        print("redis-server is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder).resolve()
        for name in ("bin", "data", "home", "cache", "runtime"):
            (place / name).mkdir(mode=0o700)
        (place / "bin/docker").write_text(DOCKER)
        (place / "bin/docker").chmod(0o755)
        (place / "drydock.yaml").write_text(PIPELINE)
        redis = Redis(place)
        try:
            redis.ask("SET", "greeting", "hello")
            redis.ask("RPUSH", "queue", "a", "b")
            environment = {"PATH": f"{place}/bin:{os.environ['PATH']}", "HOME": f"{place}/home", "LANG": "C.UTF-8",
                           "XDG_CACHE_HOME": f"{place}/cache", "XDG_RUNTIME_DIR": f"{place}/runtime",
                           "REDIS_PASSWORD": PASSWORD}
            ended = subprocess.run([drydock, "run", "--plugin-dir", plugins, "--yes"], cwd=place, text=True,
                                   env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, timeout=120)
            print(ended.stdout)
            expect(ended.returncode == 1, "the run failed, and is rolled back and verified")
            expect("2 keys of Redis" in ended.stdout, "the plan says what is kept")
            expect("Redis serves 2 keys again" in ended.stdout or files_with(
                place / ".drydock/logs", "Redis serves 2 keys again"), "settle has seen the keys")
            expect(redis.ask("GET", "greeting") == "hello", "the greeting is back")
            expect(redis.ask("LLEN", "queue") == "2", "the queue is back")
            expect(redis.ask("GET", "spoilt") == "", "what the failed release wrote is gone")
            expect((place / "data/appendonlydir.failed-1").is_dir(), "and is kept aside")
            expect(PASSWORD not in ended.stdout, "the password is not on the screen")
            expect(not files_with(place / ".drydock", PASSWORD), "nor in the state")
            expect(list((place / ".drydock").rglob("dump-1.rdb")), "the snapshot is kept")
        finally:
            redis.server.kill()
            redis.server.wait()


if __name__ == "__main__":
    main()
