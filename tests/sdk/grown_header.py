#!/usr/bin/env python3
"""grown_header.py OUT: stage.h as a later minor version might have it: every struct that may grow has another member."""
import pathlib
import re
import sys

import stage_header

out = pathlib.Path(sys.argv[1])
text = stage_header.HEADER.read_text()
for struct in stage_header.structs():
    if struct.items[0].name != "struct_size":
        continue
    begin = re.search(r"struct %s \{" % struct.name, text).end()
    end = re.search(r"^\}", text[begin:], re.M).start() + begin
    text = text[:end] + "  uint64_t of_a_later_version[3];\n" + text[end:]
out.parent.mkdir(parents=True, exist_ok=True)
if not out.exists() or out.read_text() != text:
    out.write_text(text)
