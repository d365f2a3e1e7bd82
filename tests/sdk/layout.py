#!/usr/bin/env python3
"""The table of sizes and offsets in docs/abi.md, against what compilers make of sdk/include/drydock/stage.h.

  layout.py COMPILER... [--update]

A struct may grow at its end, with a new minor version: then the table is made longer with --update, and nothing in
it may move. Ends with 1 where a compiler makes another layout, with 77 where it is no 64-bit one.
"""
import difflib
import re
import shutil
import subprocess
import sys
import tempfile

import stage_header

DOCUMENT = stage_header.REPOSITORY / "docs/abi.md"
BEGIN, END = "<!-- layout -->\n", "<!-- end -->"


def program():
    lines = ["#include <drydock/stage.h>", "#include <stdio.h>", "int main(void) {",
             '  printf("pointer %lu\\n", (unsigned long)sizeof(void*));']
    for struct in stage_header.structs():
        name = f"struct {struct.name}"
        lines.append(f'  printf("{struct.name} %lu\\n", (unsigned long)sizeof({name}));')
        lines += [f'  printf("{struct.name} {item.name} %lu\\n", '
                  f'(unsigned long)offsetof({name}, {item.name}));' for item in struct.items]
    return "\n".join(lines + ["  return 0;", "}", ""])


def measured(compiler):
    with tempfile.TemporaryDirectory() as work:
        language = "c++" if "++" in compiler else "c"
        subprocess.run([compiler, "-x", language, f"-I{stage_header.REPOSITORY}/sdk/include", "-o",
                        f"{work}/layout", "-"], input=program(), text=True, check=True)
        said = subprocess.run([f"{work}/layout"], text=True, check=True, stdout=subprocess.PIPE).stdout
    return [line.split() for line in said.splitlines()]


def table(rows):
    text = "| struct | size | members, each with its offset |\n|---|---|---|\n"
    sizes = {row[0]: row[1] for row in rows if len(row) == 2}
    for struct in stage_header.structs():
        members = " · ".join(f"`{row[1]}` {row[2]}" for row in rows
                             if len(row) == 3 and row[0] == struct.name)
        text += f"| `{struct.name}` | {sizes[struct.name]} | {members} |\n"
    return text


def main():
    compilers = [word for word in sys.argv[1:] if word != "--update" and shutil.which(word)]
    if not compilers:
        sys.exit("none of the compilers is installed")
    document = DOCUMENT.read_text()
    begin = document.index(BEGIN) + len(BEGIN)
    end = document.index(END, begin)
    old = document[begin:end]
    for compiler in compilers:
        rows = measured(compiler)
        if rows[0] != ["pointer", "8"]:
            print(f"{compiler}: pointers of {rows[0][1]} bytes")
            sys.exit(77)
        new = table(rows)
        if "--update" in sys.argv:
            DOCUMENT.write_text(document[:begin] + new + document[end:])
            return
        if old != new:
            print("\n".join(difflib.unified_diff(old.splitlines(), new.splitlines(), "docs/abi.md",
                                                 compiler, lineterm="")))
            sys.exit("stage.h is not laid out as docs/abi.md promises")


if __name__ == "__main__":
    main()
