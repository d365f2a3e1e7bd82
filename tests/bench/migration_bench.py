#!/usr/bin/env python3
"""How long `alembic-migrate` takes to say that nothing is pending.

    tests/bench/migration_bench.py [--bin build/bin/drydock] [--revisions 300] [--runs 20]

Starts a PostgreSQL and a MariaDB of its own on local sockets, at the head of unpacked scripts, and
times a whole `drydock plan` of the stage with the database by its URL: two workers, the connection,
all scripts (target: 50 ms on a quiet machine; the processor's time says what a busy one would hide).
Beside it the same of a stage that does nothing, and where Alembic is
installed `alembic current`, which answers half of the question. Nothing is judged here and no test
calls this.
"""
import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from servers import MariaDB, PostgreSQL, running  # noqa: E402

ENV = """
from alembic import context
from sqlalchemy import create_engine
with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
    context.configure(connection=connection)
    context.run_migrations()
"""


def scripts(folder, count, url):
    versions = folder / "migrations/versions"
    versions.mkdir(parents=True)
    for number in range(count):
        down = "None" if number == 0 else f"'r{number - 1}'"
        body = "    op.add_column('notes', sa.Column('c', sa.String(length=255), nullable=True))\n" * 25
        (versions / f"r{number}.py").write_text(
            f'"""Change number {number}\n\n"""\nfrom alembic import op\nimport sqlalchemy as sa\n\n'
            f"revision = 'r{number}'\ndown_revision = {down}\n\n\ndef upgrade():\n{body}")
    (folder / "migrations/env.py").write_text(ENV)
    (folder / "alembic.ini").write_text(
        f"[alembic]\nscript_location = migrations\nsqlalchemy.url = {url}\n")


def median_ms(runs, words, folder):
    taken, processor = [], []
    for number in range(runs + 1):
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode != 0:
            sys.exit(f"bench: {words} failed: {(done.stdout + done.stderr).decode(errors='replace')}")
        if number > 0:  # the first one fills the caches
            taken.append((time.monotonic() - began) * 1000)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            processor.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000)
    return f"{statistics.median(taken):6.1f} ms ({statistics.median(processor):5.1f} of a processor)", \
        done.stdout.decode()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default="build/bin/drydock")
    parser.add_argument("--revisions", type=int, default=300)
    parser.add_argument("--runs", type=int, default=20)
    arguments = parser.parse_args()
    binary = os.path.abspath(arguments.bin)
    for product, driver in ((PostgreSQL, "postgresql+psycopg2"), (MariaDB, "mysql+pymysql")):
        with running(product) as (server, folder):
            head = f"r{arguments.revisions - 1}"
            stamp = ("CREATE TABLE alembic_version (version_num varchar(32));"
                     f"INSERT INTO alembic_version VALUES ('{head}')")
            if product is PostgreSQL:
                server.client("createdb", "app")
                server.client("psql", "-q", "-d", "app", "-c", stamp)
            else:
                server.client("mariadb", input=f"CREATE DATABASE app; USE app; {stamp}", text=True)
            deployment = folder / "deployment"
            deployment.mkdir()
            url = server.url.replace("postgresql", driver).replace("mariadb:", driver + ":")
            scripts(deployment, arguments.revisions, url.replace("socket=", "unix_socket="))
            pipelines = {"nothing": {"uses": "exec", "with": {"command": ["true"]}},
                         "migrate": {"uses": "alembic-migrate", "with": {
                             "command": ["alembic", "upgrade", "head"],
                             "database": {"url": "${{ secrets.db }}"}}}}
            os.environ["BENCH_DB"] = server.url
            for name, stage in pipelines.items():
                (deployment / f"{name}.yaml").write_text(json.dumps(
                    {"drydock": 1, "name": name, "secrets": {"db": {"env": "BENCH_DB"}},
                     "stages": [stage]}))
            nothing, _ = median_ms(arguments.runs, [binary, "plan", "./nothing.yaml"], deployment)
            decided, said = median_ms(arguments.runs, [binary, "plan", "./migrate.yaml"], deployment)
            if "nothing to do" not in said:
                sys.exit(f"bench: not what was to be measured: {said}")
            line = (f"{product.__name__:10}  {arguments.revisions} revisions, none pending: "
                    f"{decided}  a plan of nothing {nothing}")
            if product is PostgreSQL and shutil.which("alembic"):
                asked, _ = median_ms(3, ["alembic", "current"], deployment)
                line += f"  `alembic current` {asked}"
            print(line)


if __name__ == "__main__":
    main()
