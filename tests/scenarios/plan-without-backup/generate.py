import os
import sqlite3

os.mkdir("data")
for name in ("app.db", "other.db", "data/app.db"):
    with sqlite3.connect(name) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
    connection.close()
