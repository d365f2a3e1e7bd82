import os
import sys

case = sys.argv[1]
os.mkdir("plugins")
path = "plugins/harmless.so"
header = b"\x7fELF\x02\x01\x01" + b"\0" * 9
if case == "directory":
    os.mkdir(path)
elif case == "dangling":
    os.symlink("nowhere.so", path)
else:
    with open(path, "wb") as file:
        if case == "text":
            file.write(b"#!/bin/sh\necho not a plugin\n")
        elif case == "truncated":
            file.write(header)
        elif case == "huge-section":
            # Section headers that begin far behind the end of the file.
            file.write(header + b"\x03\0\x3e\0\x01\0\0\0" + b"\xff" * 40)
        elif case == "world-writable":
            file.write(header)
    os.chmod(path, 0o666 if case == "world-writable" else 0o644)
