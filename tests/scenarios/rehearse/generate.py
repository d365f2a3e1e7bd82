import sqlite3

database = sqlite3.connect("app.db")
database.executescript("CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version "
                       "VALUES ('one'); CREATE TABLE note (text text); INSERT INTO note VALUES ('a'), ('b')")
database.close()
