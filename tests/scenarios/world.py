"""The world around a scenario: its environment, the files in it, and the processes left in it."""
import ctypes
import os
import pathlib
import signal
import stat
import time

PR_SET_CHILD_SUBREAPER = 36


def environment(place):
    """A small environment, in which everything that is written goes below `place`."""
    result = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "UTC"}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
        if name in os.environ:
            result[name] = os.environ[name]
    for name, folder in (("HOME", "home"), ("XDG_RUNTIME_DIR", "runtime"),
                         ("XDG_CACHE_HOME", "cache")):
        path = place / folder
        path.mkdir(mode=0o700)
        result[name] = str(path)
    # No engine of the machine is asked about a scenario's deployment.
    result["DOCKER_HOST"] = f"unix://{place}/no-docker.sock"
    return result


def tree(root, ignored, fill=None):
    """Path -> (mode, content) of everything below root; the content of a link is where it points.
    `fill` is applied to the text of files."""
    result = {}
    for folder, folders, files in os.walk(root):
        # The environments of a rollout are deployments below its own folder.
        folders[:] = [name for name in folders if name != ".drydock"]
        if pathlib.Path(folder) == root:
            folders[:] = [name for name in folders if name not in ignored]
            files = [name for name in files if name not in ignored]
        for name in folders + files:
            path = pathlib.Path(folder, name)
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode):
                content = "-> " + os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                content = path.read_bytes()
            elif stat.S_ISDIR(status.st_mode):
                continue  # git keeps no empty ones, so they cannot be expected
            else:
                content = "special file"
            if fill and isinstance(content, bytes):
                content = fill(content.decode()).encode()
            result[str(path.relative_to(root))] = (stat.S_IMODE(status.st_mode), content)
    return result


def listing(files, modes):
    """The tree as lines, for a diff; with the modes of the paths that `modes` has."""
    lines = []
    for path, (_, content) in sorted(files.items()):
        lines.append(f"{path} {modes.get(path, '')}".rstrip())
        text = content if isinstance(content, str) else content.decode(errors="backslashreplace")
        lines.extend("    " + line for line in text.splitlines())
        lines.append(f"    ({len(content)} bytes)")
    return lines


def files_containing(root, text):
    """Files of Drydock's own state that contain the text, which is a secret."""
    for folder, _, names in os.walk(root):
        for name in names:
            path = pathlib.Path(folder, name)
            if ".drydock" not in path.parts and "cache" not in path.parts:
                continue
            if path.is_file() and text.encode() in path.read_bytes():
                yield str(path.relative_to(root))


def left_behind(place):
    """What must be gone when the command has ended."""
    return [f"{path.relative_to(place)} was left behind"
            for path in sorted((place / "runtime").rglob("*"))]


def too_open(state_dir):
    """What of Drydock's state others than its owner could read."""
    return [f"{path} has mode {stat.S_IMODE(path.lstat().st_mode):04o}"
            for path in [state_dir, *sorted(state_dir.rglob("*"))]
            if path.exists() and not path.is_symlink() and path.stat().st_mode & 0o077]


def adopt_orphans():
    """Whatever a command leaves running becomes our child."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def await_detached(limit=20):
    """A detached run says that it has ended before its process is gone: it may leave by itself."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        try:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.01)
        except ChildProcessError:
            return


def end_orphans():
    """Ends what still runs of a scenario, and names it: nothing should."""
    problems = []
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return problems
        if pid == 0:
            children = pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
            for child in children:
                command = pathlib.Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ")
                problems.append(f"process {child} was left running: {command.decode()}")
                os.kill(int(child), signal.SIGKILL)
                os.waitpid(int(child), 0)
    return problems
