"""Database servers of one's own, on local sockets: for benchmarks, and for tests of the whole binary."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
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
            "mariadb-install-db", "--no-defaults", f"--datadir={folder}/data", f"--tmpdir={folder}",
            "--skip-test-db",
            "--auth-root-authentication-method=normal", "--force"]),
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.process = subprocess.Popen(as_user("mysql", [
            "/usr/sbin/mariadbd", "--no-defaults", f"--datadir={folder}/data", f"--tmpdir={folder}",
            "--skip-networking", f"--socket={self.socket}", f"--pid-file={folder}/pid", f"--log-error={folder}/log",
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
        self.url = f"postgresql://app@/app?host={folder}"
        self.start()

    @staticmethod
    def installed():
        return os.access(PG + "initdb", os.X_OK)

    def start(self):
        self.process = subprocess.Popen(as_user("postgres", [
            PG + "postgres", "-D", f"{self.folder}/data", "-c", "listen_addresses=", "-c", "fsync=off",
            "-c", f"unix_socket_directories={self.folder}"]), stderr=subprocess.DEVNULL)
        while subprocess.run([PG + "pg_isready", "-q", "-h", self.folder]).returncode != 0:
            time.sleep(0.1)

    def sql(self, database, statements):
        done = self.client("psql", "-q", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database,
                           "-c", statements, stdout=subprocess.PIPE, text=True)
        return done.stdout.strip()

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


@contextlib.contextmanager
def running(product):
    """A server and a folder beside it, both gone afterwards."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="drydock-server-") as folder:
        if os.geteuid() == 0:
            shutil.chown(folder, product.user, product.user)
        os.chmod(folder, 0o755)
        server = product(folder)
        try:
            yield server, pathlib.Path(folder)
        finally:
            server.stop()
