"""Reads sdk/include/drydock/stage.h: its enums, structs and functions with the comments beside them.

Knows just the C that the header is written in: no nested structs, one declaration an item.
"""
import pathlib
import re
from dataclasses import dataclass, field

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
HEADER = REPOSITORY / "sdk/include/drydock/stage.h"


@dataclass
class Item:
    """A member, an enumerator or a function of the header."""
    code: str
    comment: str = ""

    @property
    def name(self):
        function = re.search(r"\(\*(\w+)\)", self.code)
        return function[1] if function else re.match(r".*?(\w+)(?: = .*)?$", self.code)[1]

    @property
    def is_function(self):
        return "(*" in self.code


@dataclass
class Block:
    """A struct or an enum."""
    kind: str
    name: str  # of an enum that of the type before it, or ""
    comment: str
    items: list = field(default_factory=list)


@dataclass
class Section:
    """What stands below a line `--- title ---`."""
    title: str
    comment: str
    blocks: list = field(default_factory=list)


def text_of(comment):
    """A comment without its stars, as paragraphs of one line each."""
    lines = [re.sub(r"^\s*\*? ?", "", line) for line in comment[2:-2].splitlines()]
    paragraphs = re.split(r"\n\s*\n", "\n".join(line.strip() for line in lines))
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs).strip()


def items_of(body, separator):
    """The declarations of a struct's or an enum's body. A comment belongs to what it follows on the same line, else
    to what comes next."""
    items, code, waiting, fresh_line = [], "", "", True
    for comment, end, line_end, other in re.findall(r"(/\*.*?\*/)|([%s])|(\n)|(.)" % separator, body,
                                                    re.S):
        if comment:
            if code.strip():
                waiting += comment
            elif items and not fresh_line:
                items[-1].comment = (items[-1].comment + " " + text_of(comment)).strip()
            else:
                waiting = comment
        elif end and code.count("(") == code.count(")"):
            items.append(Item(" ".join(code.split()), text_of(waiting) if waiting else ""))
            code, waiting, fresh_line = "", "", False
        else:
            code += end or other or " "
            fresh_line = fresh_line or bool(line_end)
    if code.strip():
        items.append(Item(" ".join(code.split()), text_of(waiting) if waiting else ""))
    return items


BLOCKS = re.compile(
    r"(?P<comment>/\*(?:(?!\*/).)*\*/)?\s*"
    r"(?:typedef int32_t (?P<typedef>\w+);\s*)?"
    r"(?:typedef )?(?P<kind>struct|enum)\s*(?P<tag>\w*)\s*\{(?P<body>(?:/\*(?:(?!\*/).)*\*/|[^}])*)\}"
    r"[^;]*;", re.S)


def sections():
    """The header from its first declaration on; what stands before the first section has no title."""
    text = HEADER.read_text()
    text = text[text.index("#define DRYDOCK_ABI_MINOR"):text.index("#if defined(__GNUC__)")]
    heads = list(re.finditer(r"/\* --- (.*?) -+(.*?)\*/", text, re.S))
    starts = [0] + [head.start() for head in heads] + [len(text)]
    result = []
    for number, (begin, end) in enumerate(zip(starts, starts[1:])):
        head = heads[number - 1] if number else None
        section = Section(head[1] if head else "", text_of("/*" + head[2] + "*/") if head else "")
        part = text[head.end():end] if head else text[:end]
        for match in BLOCKS.finditer(part):
            kind = match["kind"]
            section.blocks.append(
                Block(kind, match["tag"] or match["typedef"] or "",
                      text_of(match["comment"]) if match["comment"] else "",
                      items_of(match["body"], ";" if kind == "struct" else ",")))
        result.append(section)
    return result


def introduction():
    """The comment at the top of the header."""
    text = HEADER.read_text()
    return text_of(text[:text.index("*/") + 2])


def entry():
    """The declaration of the one exported function."""
    return re.search(r"^DRYDOCK_EXPORT (.*;)$", HEADER.read_text(), re.M)[1]


def structs():
    return [block for section in sections() for block in section.blocks if block.kind == "struct"]
