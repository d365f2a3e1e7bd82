#!/usr/bin/env python3
"""docs/stage-reference.md, made from the comments of sdk/include/drydock/stage.h.

Without --update it only compares, and ends with 1 where the file is stale.
"""
import difflib
import re
import sys

import stage_header

DOCUMENT = stage_header.REPOSITORY / "docs/stage-reference.md"
HEAD = """<!-- Made from sdk/include/drydock/stage.h by tests/sdk/reference.py --update -->
# Reference of the plugin boundary

All of `<drydock/stage.h>`. C++ authors use [`stage.hpp`](writing-a-stage.md), which wraps it; why it is as it is, and
how it grows, is told in [abi.md](abi.md). Where a struct begins with `struct_size`, whoever fills it in sets that to
its `sizeof`.
"""
NAMES = {"DRYDOCK_LOG": "Log levels", "DRYDOCK_INFORMATIONAL": "Facts", "DRYDOCK_OUTPUT": "Outputs"}


def cell(text):
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n\n", " ")


def table(head, rows):
    lines = [f"| {head} | |", "|---|---|"] + [f"| {left} | {cell(right)} |" for left, right in rows]
    return "\n".join(re.sub(r"\|  +\|", "| |", line) for line in lines) + "\n"


def heading(block):
    if block.name:
        return f"`{block.name}`"
    return next(title for prefix, title in NAMES.items() if block.items[0].name.startswith(prefix))


def of_block(block):
    text = f"### {heading(block)}\n\n"
    if block.comment:
        text += block.comment + "\n\n"
    if block.kind == "enum":
        rows = [(f"`{item.code}`", item.comment) for item in block.items]
        return text + table("value", rows)
    members = [item for item in block.items if not item.is_function]
    functions = [item for item in block.items if item.is_function]
    text += table("member", [(f"`{item.code}`", item.comment) for item in members])
    for function in functions:
        text += f"\n#### {function.name}\n\n```c\n{function.code}\n```\n"
        text += f"\n{function.comment}\n" if function.comment else ""
    return text


def made():
    text = HEAD
    paragraphs = stage_header.introduction().split("\n\n")
    for paragraph in paragraphs[1:]:
        if paragraph.startswith("C++ authors"):
            continue
        title = re.match(r"([A-Z]\w+)\. ", paragraph)
        text += "\n" + (f"**{title[1]}.** {paragraph[title.end():]}" if title else paragraph) + "\n"
    for section in stage_header.sections():
        title = section.title or "values and statuses"
        text += f"\n## {title[0].upper()}{title[1:]}\n"
        text += f"\n{section.comment}\n" if section.comment else ""
        for block in section.blocks:
            text += "\n" + of_block(block)
    return text


def main():
    new = made()
    if sys.argv[1:] == ["--update"]:
        DOCUMENT.write_text(new)
        return
    old = DOCUMENT.read_text() if DOCUMENT.exists() else ""
    if old != new:
        print("\n".join(difflib.unified_diff(old.splitlines(), new.splitlines(),
                                             "docs/stage-reference.md", "what stage.h says",
                                             lineterm="")))
        sys.exit("docs/stage-reference.md is stale; `tests/sdk/reference.py --update` makes it new")


if __name__ == "__main__":
    main()
