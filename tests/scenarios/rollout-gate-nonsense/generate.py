import sys

with open("rollout.yaml", "w", encoding="utf-8") as file:
    file.write("""drydock: 1
rollout: sample
pipeline: sample.yaml
environments: { a: { dir: a } }
waves:
  - { name: all, environments: all, gate: { uses: %s, with: { step: run } } }
""" % sys.argv[1])
