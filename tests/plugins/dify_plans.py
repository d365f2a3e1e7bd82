#!/usr/bin/env python3
"""Dify's own compose files of ten releases, each planned to the newest one with the real Compose and an
engine on which containers stand in for what runs. Nothing is pulled and nothing changes.

  dify_plans.py DRYDOCK SHARED [--all]      SHARED/dify/RELEASE/docker-compose.yaml; --all: all ten

DRYDOCK_SHARED_DATA names another folder than SHARED. It starts itself again on an engine of its own (on-engine.sh). Exits 77, with the reason, where it cannot.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

RELEASES = ["0.6.16", "0.15.3", "1.0.0", "1.3.1", "1.7.2", "1.10.0", "1.11.2", "1.13.0", "1.14.0", "1.14.1"]
NEWEST = RELEASES[-1]
RUNS = ["db", "db_postgres", "redis", "api"]  # as far as the release has them

# Of the variables only those that another name of the database's service concerns.
TEMPLATE = {
    "db": "DB_HOST=db\nCOMPOSE_PROFILES=weaviate\n",
    "db_postgres": "DB_HOST=db_postgres\nCOMPOSE_PROFILES=weaviate,postgresql\n",
}
PIPELINE = """\
drydock: 1
name: dify-plan
deployment: {{ project: docker{profiles} }}
vars: {{ to: {{ required: true }} }}
stages:
  - uses: source
    with: {{ directory: "../release" }}
  - uses: preflight
    with:
      ports: false
      releases: {{ service: api, to: "${{{{ vars.to }}}}", renamed: {{ db: db_postgres }} }}
  - uses: env-sync
    with: {{ template: .env.example, base: "../old.env.example" }}
  - uses: pull
  - id: data
    uses: compose-up
    with: {{ services: [[db_postgres, db], redis] }}
  - uses: compose-up
"""


def command(*arguments, **options):
    done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(arguments)} gave {done.returncode}: {done.stderr}{done.stdout}")
    return done.stdout


def database_of(release):
    text = (RELEASE_FILES / release / "docker-compose.yaml").read_text()
    return "db_postgres" if "\n  db_postgres:\n" in text else "db"


def put_release(release, folder, with_env):
    shutil.copytree(RELEASE_FILES / release, folder, dirs_exist_ok=True)
    template = TEMPLATE[database_of(release)]
    (folder / ".env.example").write_text(template)
    if with_env:
        (folder / ".env").write_text(template + "SECRET_KEY=an-operators-own\n")


def model_of(folder, *options):
    return json.loads(command("docker", "compose", "--project-directory", str(folder), *options, "config",
                              "--format", "json"))


def stand_in(folder, model):
    """A container with the labels, the image's name and the mounts of each service that would run."""
    for name in RUNS:
        service = model["services"].get(name)
        if service is None:
            continue
        command("docker", "tag", "drydock-test/app:1", service["image"])
        labels = {"project": "docker", "service": name, "project.working_dir": str(folder),
                  "config-hash": "0" * 64, "container-number": "1", "oneoff": "False",
                  "project.config_files": str(folder / "docker-compose.yaml")}
        arguments = ["docker", "run", "--detach", "--init", "--network", "none", "--name", f"docker-{name}-1"]
        for key, value in labels.items():
            arguments += ["--label", f"com.docker.compose.{key}={value}"]
        for volume in service.get("volumes", []):
            if volume["type"] == "bind" and not volume["source"].startswith("/var/run"):
                os.makedirs(volume["source"], exist_ok=True)
                arguments += ["--volume", f"{volume['source']}:{volume['target']}"]
        command(*arguments, service["image"], "sleep", "10000")


def look(folder):
    """What a plan must leave as it is."""
    files = {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    containers = command("docker", "ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.State}} {{.Image}}")
    images = command("docker", "images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}")
    return files, sorted(containers.splitlines()), sorted(images.splitlines())


def plan(release, place, profiles=""):
    folder = place / "docker"
    put_release(release, folder, with_env=True)
    put_release(NEWEST, place / "release", with_env=False)
    (place / "old.env.example").write_text(TEMPLATE[database_of(release)])
    (folder / "drydock.yaml").write_text(PIPELINE.format(profiles=profiles))
    model = model_of(folder)
    stand_in(folder, model)
    before = look(folder)
    said = command(DRYDOCK, "-C", str(folder), "plan", "--json", "--var", f"to={NEWEST}")
    for was, now in zip(before, look(folder)):
        if was != now:
            raise AssertionError(f"the plan has changed something: {str(was)[:500]} is {str(now)[:500]}")
    changes = {}
    for stage in json.loads(said)["plan"]["planned"]:
        for change in stage["changes"]:
            changes[change["what"], change["action"], change["name"]] = change
    return model, changes


def check(release, place, profiles=""):
    model, changes = plan(release, place, profiles)
    named = {(what, action): {name for w, a, name in changes if (w, a) == (what, action)}
             for what, action, _ in changes}
    retired = named.get(("service", "retire"), set())
    expected = {"db"} if database_of(release) == "db" else set()
    if retired != expected:
        raise AssertionError(f"retired would be {retired}, not {expected}")
    starts = named.get(("service", "start"), set())
    touched = starts | named.get(("service", "change"), set()) | named.get(("service", "recreate"), set())
    for service in ("api", "web", "nginx", "plugin_daemon", "db_postgres"):
        if service not in touched:
            raise AssertionError(f"{service} is not in the plan: {sorted(touched)}")
    if expected and "db_postgres" not in starts:
        raise AssertionError(f"db_postgres is not started in the place of db: {sorted(starts)}")
    if release != NEWEST and not any(what == "image" for what, _, _ in changes):
        raise AssertionError("no image is to be pulled")
    return len(model["services"]), len(touched)


def in_a_place(case):
    place = pathlib.Path(tempfile.mkdtemp(prefix="drydock-dify-"))
    try:
        return case(place)
    finally:
        ids = command("docker", "ps", "--all", "--quiet").split()
        if ids:
            command("docker", "rm", "--force", *ids)
        shutil.rmtree(place)


def main():
    failed = 0
    cases = [(release, "") for release in (RELEASES if "--all" in sys.argv else ["1.10.0", "1.13.0"])]
    # All services at once, whatever the profile: 40 and more with anchors and optional dependencies.
    cases.append(("1.10.0", ', profiles: ["*"]'))
    for release, profiles in cases:
        title = f"{release} to {NEWEST}{' with every profile' if profiles else ''}"
        try:
            services, touched = in_a_place(lambda place: check(release, place, profiles))
            print(f"ok      {title}: {services} services active before, {touched} to start or change")
        except AssertionError as problem:
            failed += 1
            print(f"FAILED  {title}: {problem}")
    return 1 if failed else 0


if __name__ == "__main__":
    DRYDOCK, SHARED = os.path.realpath(sys.argv[1]), os.environ.get("DRYDOCK_SHARED_DATA", sys.argv[2])
    RELEASE_FILES = pathlib.Path(SHARED) / "dify"
    missing = [name for name in RELEASES if not (RELEASE_FILES / name / "docker-compose.yaml").is_file()]
    if missing:
        print(f"skipped: {RELEASE_FILES} lacks Dify's releases {', '.join(missing)}")
        sys.exit(77)
    if "--on-engine" not in sys.argv:
        program = os.path.realpath(__file__)
        engine = os.path.join(os.path.dirname(program), "on-engine.sh")
        os.execv(engine, [engine, sys.executable, "-B", program, *sys.argv[1:], "--on-engine"])
    sys.exit(main())
