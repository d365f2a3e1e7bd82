import os
import sqlite3

database = sqlite3.connect("../app.db")
database.execute("CREATE TABLE notes (text)")
database.execute("CREATE TABLE users (name)")
database.executemany("INSERT INTO notes VALUES (?)", [("one",), ("two",), ("three",)])
database.execute("INSERT INTO users VALUES ('me')")
database.commit()
with open("add", "w") as script:
    script.write("""#!/usr/bin/env python3
import sqlite3
import sys

database = sqlite3.connect("../app.db")
database.executemany("INSERT INTO notes VALUES (?)", [("more",)] * int(sys.argv[1]))
database.commit()
""")
os.chmod("add", 0o755)
