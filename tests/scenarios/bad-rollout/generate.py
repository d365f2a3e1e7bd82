import os
import sys

ENVIRONMENT = {
    "unknown-variable": "dir: eu-1, vars: { to: 1, api_tokn: x }",
    "missing-variable": "dir: eu-1",
    "unknown-secret": "dir: eu-1, vars: { to: 1 }, secrets: { hook: { env: HOOK } }",
    "odd-folder": "dir: '/srv/it!', host: web-1, vars: { to: 1 }",
    "linked-folder": "dir: eu-1, vars: { to: 1 } }\n  eu-2: { dir: link, vars: { to: 1 }",
    "gate": "dir: eu-1, vars: { to: 1 }",
}
GATE = {"gate": ", gate: { uses: exec, with: { comand: [/bin/true] } }"}
name = sys.argv[1]
os.symlink("eu-1", "link")
with open("rollout.yaml", "w", encoding="utf-8") as file:
    file.write(f"""drydock: 1
rollout: sample
pipeline: sample.yaml
environments:
  eu-1: {{ {ENVIRONMENT[name]} }}
waves:
  - {{ name: all, environments: all{GATE.get(name, "")} }}
""")
