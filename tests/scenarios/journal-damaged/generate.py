"""A journal that cannot be one, where a run left it."""
import os
import sys

os.mkdir(".drydock", 0o700)
if sys.argv[1] == "folder":
    os.mkdir(".drydock/journal.db", 0o700)
else:
    with open(os.open(".drydock/journal.db", os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
        file.write("a note of somebody\n" if sys.argv[1] == "text" else "")
