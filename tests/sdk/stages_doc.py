#!/usr/bin/env python3
"""The tables of docs/stages/, made from the schemas of the built-in stages.

  stages_doc.py --bin BUILD/bin/drydock [--update]

A table stands between `<!-- options of STAGE -->` and `<!-- end -->`; `but: NAME` in the first leaves options
out. Everything in it but the order of its rows comes from `drydock stages --json`; a new option comes last. Without
--update it only compares, and ends with 1 where the file is stale.
"""
import argparse
import difflib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted((REPOSITORY / "docs/stages").glob("*.md"))
LONGEST_DEFAULT = 64
WORDS = {"string": "text", "boolean": "yes or no", "integer": "number", "number": "number",
         "array": "list", "object": "mapping", "null": "nothing"}


def schemas(binary):
    with tempfile.TemporaryDirectory() as cache:
        environment = dict(os.environ, XDG_CACHE_HOME=cache)
        said = subprocess.run([binary, "stages", "--json"], env=environment, check=True,
                              stdout=subprocess.PIPE).stdout
    return {stage["name"]: stage["options"] for stage in json.loads(said)["stages"]}


def type_in_words(schema):
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("writeOnly"):
        return "secret"
    if "format" in schema:
        return schema["format"]
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " or ".join(type_in_words(each) for each in schema[choice])
    kinds = schema.get("type", [])
    if isinstance(kinds, list):
        return " or ".join(WORDS[kind] for kind in kinds)
    if kinds == "array" and schema.get("items", {}).get("type") == "array":
        return "list of lists"
    values = schema.get("additionalProperties", {})
    if kinds == "object" and isinstance(values, dict) and values.get("writeOnly"):
        return "mapping of secrets"
    return WORDS[kinds]


def default_in_words(stage, schema, required):
    if required:
        return "required"
    if "default" not in schema:
        return ""
    default = schema["default"]
    text = default if isinstance(default, str) and default else json.dumps(default)
    if len(text) > LONGEST_DEFAULT:
        return f"a list: `drydock stages {stage}`"
    return f"`{text}`"


def rows_of(stage, schema, prefix=""):
    """Name -> line, with the members of objects and of lists of objects."""
    result = {}
    for key, option in schema.get("properties", {}).items():
        name = prefix + key
        cells = (f"`{name}`", type_in_words(option),
                 default_in_words(stage, option, key in schema.get("required", [])),
                 option["description"].replace("|", "\\|"))
        result[name] = re.sub(r"  +", "  ", "| " + " | ".join(cells) + " |")
        result.update(rows_of(stage, option, name + "."))
        result.update(rows_of(stage, option.get("items", {}), name + "[]."))
    return result


def table(stage, schema, left_out, old):
    rows = rows_of(stage, schema)
    for name in list(rows):
        if any(name.startswith(out) for out in left_out):
            del rows[name]
    known = [name for name in re.findall(r"^\| `([^`]+)` \|", old, re.M) if name in rows]
    order = known + [name for name in rows if name not in known]
    return "\n".join(["| option | type | default | |", "|---|---|---|---|"] +
                     [rows[name] for name in order]) + "\n"


def made_new(text, stages, found):
    """The page with its tables as they have to be; adds the stages that it has one for to `found`."""
    def replace(match):
        head, stage, left_out, old, end = match.groups()
        found.add(stage)
        return head + table(stage, stages[stage], (left_out or "").split(), old) + end

    return re.sub(r"(<!-- options of (\S+?)(?: but: (.*?))? -->\n)(.*?)(<!-- end -->)", replace, text,
                  flags=re.S)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True)
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    stages, found, stale = schemas(arguments.bin), set(), False
    for page in PAGES:
        old, name = page.read_text(), str(page.relative_to(REPOSITORY))
        new = made_new(old, stages, found)
        if arguments.update:
            page.write_text(new)
        elif old != new:
            stale = True
            print("\n".join(difflib.unified_diff(old.splitlines(), new.splitlines(), name,
                                                 "what the schemas say", lineterm="")))
    if found != set(stages):
        sys.exit(f"docs/stages/ has no table for {', '.join(sorted(set(stages) - found))}")
    if stale:
        sys.exit("docs/stages/ is stale; `tests/sdk/stages_doc.py --bin build/bin/drydock --update` "
                 "makes its tables new")


if __name__ == "__main__":
    main()
