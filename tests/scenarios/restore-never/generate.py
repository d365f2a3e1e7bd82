import os
import sqlite3

database = sqlite3.connect("../app.db")
database.execute("CREATE TABLE notes (text)")
database.execute("CREATE TABLE alembic_version (version_num)")
database.executemany("INSERT INTO notes VALUES (?)", [("one",), ("two",), ("three",)])
database.execute("INSERT INTO alembic_version VALUES ('one')")
database.commit()
os.mkdir("conf")
with open("conf/app.conf", "w") as conf:
    conf.write("colour = blue\n")
os.chmod("conf/app.conf", 0o600)
scripts = {
    "sql": """
database = sqlite3.connect("../app.db")
for statement in sys.argv[1].split("; "):
    for row in database.execute(statement):
        print(*row)
database.commit()
""",
    "expect": """
count = sqlite3.connect("../app.db").execute("SELECT count(*) FROM notes").fetchone()[0]
sys.exit(count != int(sys.argv[1]))
""",
    "damage": """
with open(sys.argv[1], "r+b") as file:
    file.seek(int(sys.argv[2]))
    byte = file.read(1)[0]
    file.seek(int(sys.argv[2]))
    file.write(bytes([byte ^ 1]))
""",
}
for name, text in scripts.items():
    with open(name, "w") as script:
        script.write("#!/usr/bin/env python3\nimport sqlite3\nimport sys\n" + text)
    os.chmod(name, 0o755)
