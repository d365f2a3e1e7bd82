"""The deployment that matrix.py upgrades, and how it looks: five stages that change files, links and
an SQLite database, each with something to put back. No engine is needed."""
import os
import pathlib
import re
import shutil
import sqlite3
import stat
import subprocess
import sys

MIGRATE = """\
import os, sqlite3, sys
database, settings = sys.argv[1:]
try:
    open("migrating", "w").close()
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA synchronous=FULL")
    # Several transactions, so that a migration can stop between two; repeated, it goes on there.
    while (version := connection.execute("PRAGMA user_version").fetchone()[0]) < 5:
        connection.execute("BEGIN IMMEDIATE")
        if version == 2:  # at first only the version changes: nothing but it tells
            connection.execute("UPDATE people SET name = upper(name)")
        if version == 3:
            connection.execute("ALTER TABLE people ADD COLUMN email TEXT NOT NULL DEFAULT ''")
            connection.execute("CREATE INDEX people_by_email ON people (email, name)")
        if version == 4:
            connection.execute("DELETE FROM people WHERE id % 3 = 0")
            connection.execute("CREATE TABLE tags (name TEXT PRIMARY KEY) WITHOUT ROWID")
        connection.execute(f"PRAGMA user_version = {version + 1}")
        connection.execute("COMMIT")
        print("migrated to", version + 1, flush=True)
    connection.close()
    with open(settings, "w", encoding="utf-8") as file:
        file.write("schema = 4\\n" * 10)
    os.unlink("migrating")
except (sqlite3.Error, OSError) as e:
    sys.exit(f"the migration failed: {e}")
"""

# A link is replaced as deployments do it; repeated, it leaves nothing of the first time behind.
SWITCH = "rm -f current.new && ln -s versions/{0} current.new && mv -T current.new current"

PIPELINE = """\
drydock: 1
name: matrix
secrets:
  hook: {{ env: HOOK_URL }}
stages:
  - uses: source
    with: {{ directory: ../release }}
  - uses: env-sync
  - uses: backup
    with: {{ files: [settings, versions, uploads], sqlite: [data/app.db] }}
  - id: migrate
    uses: exec
    with:
      command: [{place}/migrate, -I, -S, {place}/migrate.py, data/app.db, settings/app.ini]
      rollback: [/bin/sh, -c, "rm -f migrating"]
      observe: [/bin/sh, -c, "cat settings/app.ini"]
  - id: switch
    uses: exec
    with:
      command: [/bin/sh, -c, "{forward}"]
      rollback: [/bin/sh, -c, "{back}"]
      observe: [/bin/readlink, current]
      verify: [/usr/bin/test, current/app, -ef, versions/2/app]
finally:
  - uses: notify
    with: {{ webhook: "${{{{ secrets.hook }}}}", timeout: 5s }}
"""

OLD_ENV = "# mine\nPORT=8080\nSECRET_KEY=correct-horse\nOLD=1\n"


def write(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def build(place):
    """`deployment` and the `release` that it is upgraded to, below `place`."""
    old, new = place / "deployment", place / "release"
    write(place / "migrate.py", MIGRATE)
    # A name of its own, by which a fault finds it.
    (place / "migrate").symlink_to(sys.executable)
    write(old / "drydock.yaml", PIPELINE.format(
        place=place, forward=SWITCH.format(2), back=SWITCH.format(1)))
    write(old / ".env.example", "PORT=80\nOLD=1\n")
    write(old / ".env", OLD_ENV, 0o600)
    write(old / "bin/start", "#!/bin/sh\necho old\n")
    write(old / "conf/nginx.conf", "old\n" * 300, 0o640)
    write(old / "settings/app.ini", "schema = 1\n" * 500, 0o660)
    write(old / "versions/1/app", "one\n")
    write(old / "versions/2/app", "two\n")
    write(old / "uploads/deep/er/photo", "\xff" * 5000, 0o400)
    (old / "current").symlink_to("versions/1")
    (old / "linked.conf").symlink_to("conf/nginx.conf")
    (old / "latest").symlink_to("bin/start")
    (old / "data").mkdir(mode=0o750)
    make_database(old / "data/app.db")
    if os.geteuid() == 0:
        for name in ("settings/app.ini", "conf/nginx.conf", ".env", "data/app.db", "settings"):
            os.chown(old / name, 1234, 4321)

    write(new / ".env.example", "PORT=80\nNEW=2\nOTHER=three\n")
    write(new / "bin/start", "#!/bin/sh\necho new\n", 0o755)
    write(new / "linked.conf", "new\n" * 200)
    write(new / "extra/deep/file", "new\n", 0o640)
    (new / "latest").symlink_to("extra/deep/file")
    (new / "shortcut").symlink_to("bin")


def make_database(path):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA user_version=1")
    connection.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
    connection.executemany("INSERT INTO people (name) VALUES (?)",
                           [(f"person {i} " + "x" * 60,) for i in range(150)])
    connection.close()
    path.chmod(0o640)


def database(path):
    """What the database holds. Its bytes differ after a copy by SQLite; opening it and closing it
    leaves no journal beside it."""
    connection = sqlite3.connect(f"file:{path}?mode=rw", uri=True, isolation_level=None)
    try:
        found = [str(connection.execute(f"PRAGMA {name}").fetchall())
                 for name in ("integrity_check", "user_version", "application_id", "journal_mode")]
        return found + list(connection.iterdump())
    except sqlite3.Error as e:
        return [f"cannot be read: {e}"]
    finally:
        connection.close()


def look(root):
    """Everything of a deployment but Drydock's state, and the copies that env-sync keeps for people:
    path -> what is there."""
    found = {}
    try:
        found["data/app.db (content)"] = database(root / "data/app.db")
    except sqlite3.Error as e:
        found["data/app.db (content)"] = f"cannot be opened: {e}"
    for folder, folders, files in os.walk(root):
        if pathlib.Path(folder) == root:
            folders[:] = [name for name in folders if name not in (".drydock", "env-backup")]
        for name in [".", *folders, *files]:
            path = pathlib.Path(folder, name)
            status = path.lstat()
            about = (oct(status.st_mode), status.st_uid, status.st_gid)
            if stat.S_ISLNK(status.st_mode):
                about += (os.readlink(path),)
            elif stat.S_ISREG(status.st_mode) and path != root / "data/app.db":
                about += (path.read_bytes(),)
            found[str(path.relative_to(root))] = about
    return found


def kept_copies_problem(root):
    """env-sync's copies stay on purpose, and each is whole."""
    folder = root / "env-backup"
    for path in sorted(folder.iterdir()) if folder.exists() else []:
        whole = "/.gitignore\n*.backup_*\n" if path.name == ".gitignore" else OLD_ENV
        known = re.fullmatch(r"\.gitignore|\.env\.backup_\d+_\d+(_\d+)?", path.name)
        if not known or path.read_text() != whole:
            return f"env-backup/{path.name} is left over, or not whole"
    return ""


def difference(expected, found):
    """The first path that differs, and how."""
    for path in sorted(expected.keys() | found.keys()):
        if expected.get(path) != found.get(path):
            return f"{path} was {str(expected.get(path))[:120]}, is {str(found.get(path))[:120]}"
    return ""


def copy(source, target):
    """With owners, modes and links; what was there is gone."""
    if target.exists():
        shutil.rmtree(target)
    subprocess.run(["cp", "-a", source, target], check=True)
