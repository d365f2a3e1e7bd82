#!/usr/bin/env python3
"""The tables in docs/abi.md (sizes and offsets, types, values), against what compilers make of
sdk/include/drydock/stage.h.

  layout.py COMPILER... [--update]

A struct may grow at its end, and a value may be added, with a new minor version: then the tables are made longer with
--update, and nothing in them may change. Ends with 1 where a compiler makes something else, with 77 where it is no
64-bit one.
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
    # Signed, and as wide as is promised: the type itself, whatever an enumerator is.
    lines += [f'  printf("= {kind} %d\\n", ({kind})-1 < 0 ? (int)sizeof({kind}) : -1);'
              for kind in ("drydock_status", "drydock_type")]
    lines += [f'  printf("= {item.name} %ld\\n", (long){item.name});' for item in enumerators()]
    return "\n".join(lines + ["  return 0;", "}", ""])


def enumerators():
    return [item for section in stage_header.sections() for block in section.blocks
            if block.kind == "enum" for item in block.items]


def note_of(compiler, work):
    """What DRYDOCK_NOTE leaves in the section .drydock, as one line; of what drydock_plugin_v1 is
    exported."""
    source = ('#include <drydock/stage.h>\nDRYDOCK_NOTE("org.example.greet", "1.0.0");\n'
              "const drydock_plugin* drydock_plugin_v1(void) { return 0; }\n")
    language = ["-x", "c++", "-Wno-extern-c-compat"] if "++" in compiler else ["-x", "c"]
    subprocess.run([compiler, *language, f"-I{stage_header.REPOSITORY}/sdk/include", "-shared", "-fPIC",
                    "-fvisibility=hidden", "-o", f"{work}/note.so", "-"], input=source, text=True, check=True)
    subprocess.run(["objcopy", "-O", "binary", "--only-section=.drydock", "--set-section-flags",
                    ".drydock=alloc", f"{work}/note.so", f"{work}/note"], check=True)
    with open(f"{work}/note", "rb") as note:
        return note.read().strip(b"\0").decode()


def measured(compiler):
    with tempfile.TemporaryDirectory() as work:
        language = "c++" if "++" in compiler else "c"
        subprocess.run([compiler, "-x", language, f"-I{stage_header.REPOSITORY}/sdk/include", "-o",
                        f"{work}/layout", "-"], input=program(), text=True, check=True)
        said = subprocess.run([f"{work}/layout"], text=True, check=True, stdout=subprocess.PIPE).stdout
        note = note_of(compiler, work)
    return [line.split() for line in said.splitlines()], note


def declared():
    """The types of all members and functions: a change that moves nothing is one all the same."""
    lines = []
    for struct in stage_header.structs():
        lines.append(f"struct {struct.name}")
        lines += [f"  {item.code};" for item in struct.items]
    return "\n".join(lines + [stage_header.entry()])


def values(rows):
    found = {row[1]: row[2] for row in rows if row[0] == "="}
    text = "| value | | value | |\n|---|---|---|---|\n"
    cells = [f"`{name}` | {found[name]}" for name in found]
    cells += [" | "] * (len(cells) % 2)
    return text + "".join(f"| {left} | {right} |\n" for left, right in zip(cells[::2], cells[1::2]))


def table(rows, note):
    structs = [row for row in rows if row[0] != "="]
    return (f"{layout(structs)}\nThe types, in the header's own words:\n\n```c\n{declared()}\n```\n\n"
            f"The values (of a type: its size in bytes; both are signed):\n\n{values(rows)}\n"
            f"The note of `DRYDOCK_NOTE(\"org.example.greet\", \"1.0.0\")`, in the section `.drydock`:\n\n"
            f"```\n{note}```\n")


def layout(rows):
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
        rows, note = measured(compiler)
        if rows[0] != ["pointer", "8"]:
            print(f"{compiler}: pointers of {rows[0][1]} bytes")
            sys.exit(77)
        new = table(rows, note)
        if "--update" in sys.argv:
            DOCUMENT.write_text(document[:begin] + new + document[end:])
            return
        if old != new:
            print("\n".join(difflib.unified_diff(old.splitlines(), new.splitlines(), "docs/abi.md",
                                                 compiler, lineterm="")))
            sys.exit("stage.h is not laid out as docs/abi.md promises")


if __name__ == "__main__":
    main()
