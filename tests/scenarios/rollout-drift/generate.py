import sys

with open("rollout.yaml", "w", encoding="utf-8") as file:
    file.write("""drydock: 1
rollout: sample
pipeline: sample.yaml
environments:
  staging: { dir: staging }
  eu-1: { dir: eu-1 }
waves:
  - { name: all, environments: all, max_failures: 0 }
drift: %s
""" % sys.argv[1])
