#!/usr/bin/env python3
"""Holds what `drydock plugin check` says of a plugin against the comment that its source begins with.

  faults.py --bin BUILD/bin/drydock --plugin FAULT.so --source FAULT.cc

A line `// CHECK: fail: SENTENCE` (or `warn`, `skip`, `pass`), continued by lines that begin with `//   `, is what that
check has to say, word for word; <...> stands for any text. Every other check has to pass or be skipped.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile


def expected(source):
    """Check -> (verdict, sentence), of a source's first comment."""
    found, last = {}, None
    for line in source.read_text().splitlines():
        if not line.startswith("//"):
            break
        begins = re.fullmatch(r"// ([a-z-]+): (fail|warn|skip|pass): (.*)", line)
        if begins:
            last = begins[1]
            found[last] = (begins[2], begins[3])
        elif last and line.startswith("//   "):
            found[last] = (found[last][0], found[last][1] + " " + line[5:])
    return found


def fits(pattern, text):
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("<...>")), text)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("bin", "plugin", "source"):
        arguments.add_argument("--" + name, required=True, type=pathlib.Path)
    given = arguments.parse_args()
    wanted = expected(given.source)
    with tempfile.TemporaryDirectory(prefix="drydock-fault-") as place:
        environment = {name: os.environ[name] for name in os.environ if name != "DRYDOCK_PLUGIN_PATH"}
        environment.update(HOME=place, XDG_RUNTIME_DIR=place, XDG_CACHE_HOME=place)
        ended = subprocess.run([given.bin, "plugin", "check", given.plugin, "--json"], env=environment,
                               text=True, errors="backslashreplace", capture_output=True, check=False)
        left = sorted(os.listdir(place))
    wrong = [f"{name} was left behind" for name in left]
    if ended.stderr:
        wrong.append(f"it complained: {ended.stderr}")
    checks = json.loads(ended.stdout)["checks"]
    for check in checks:
        verdict, sentence = wanted.pop(check["name"], ("pass", "<...>"))
        found = check["verdict"]
        as_wanted = found == verdict or (verdict == "pass" and found == "skip")
        if not as_wanted or not fits(sentence, check["sentence"]):
            wrong.append(f"{check['name']}\n  expected {verdict}: {sentence}\n"
                         f"  found    {found}: {check['sentence']}")
    wrong += [f"there is no check {name}" for name in wanted]
    fails = any(check["verdict"] == "fail" for check in checks)
    if ended.returncode != (5 if fails else 0):
        wrong.append(f"it ended with {ended.returncode}")
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
