import os
import sqlite3

database = sqlite3.connect("../app.db")
database.execute("CREATE TABLE notes (text)")
database.commit()
database.close()
os.truncate("../app.db", 8 << 40)  # nothing of it is on the disk
