"""What the tests of this folder have in common: a deployment of two stages, of which the second says
through a FIFO that it has begun, and waits on another one. Nothing here sleeps to be in time."""
import fcntl
import os
import pty
import select
import signal
import subprocess
import tempfile
import termios
import threading
import unittest

DRYDOCK = os.environ.get("DRYDOCK", os.path.join(os.path.dirname(__file__), "../../build/bin/drydock"))

# The first stage changes a file and can put it back; the second says that it has begun, and waits.
PIPELINE = """
drydock: 1
name: faulty
stages:
  - id: change
    uses: exec
    with:
      command: [/bin/sh, -c, "echo new > data"]
      rollback: [/bin/sh, -c, "echo old > data; echo change >> undone"]
      observe: [/bin/cat, data]
  - id: wait
    uses: exec
    with:
      command: [/bin/sh, -c, "echo $$ > begun; read line < go"]
      rollback: [/bin/sh, -c, "echo wait >> undone; test ! -p hold || read line < hold"]
"""


class Case(unittest.TestCase):
    def setUp(self):
        # A name that a shell, a URI of SQLite and a format each take for something else.
        folder = tempfile.TemporaryDirectory(prefix="drydock-fault a%20?#'-")
        self.addCleanup(folder.cleanup)
        self.dir = os.path.realpath(folder.name)
        self.addCleanup(self.end_what_goes_on)
        self.write("drydock.yaml", PIPELINE)
        self.write("data", "old\n")
        self.fifo("begun")
        self.fifo("go")

    def end_what_goes_on(self):
        """What a test that failed leaves: runs that outlive whoever began them. Their command lines name its
        folder, which nobody else's do."""
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                fd = os.pidfd_open(int(entry))
            except OSError:  # it has ended, or is a thread
                continue
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as words:
                    if self.dir.encode() in words.read():
                        signal.pidfd_send_signal(fd, signal.SIGKILL)
                        select.select([fd], [], [], 30)  # before its folder goes
            except (FileNotFoundError, ProcessLookupError):
                pass
            finally:
                os.close(fd)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def fifo(self, name):
        os.mkfifo(self.path(name))

    def start(self, *arguments, **options):
        process = subprocess.Popen([DRYDOCK, "-C", self.dir, *arguments], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
        self.addCleanup(lambda: (process.kill(), process.wait(), process.stdout.close()))
        return process

    def drydock(self, *arguments, code, **options):
        done = subprocess.run([DRYDOCK, "-C", self.dir, *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
                              **options)
        self.assertEqual(done.returncode, code, done.stdout)
        return done.stdout

    def start_and_wait_for_the_second_stage(self):
        """Opening the FIFO returns when the stage writes its pid into it."""
        process = self.start("run", "--yes")
        return process, int(self.read("begun"))

    def let_go_on(self):
        """The second stage, which waits for a line."""
        with open(self.path("go"), "w", encoding="utf-8") as go:
            go.write("go\n")

    def kill(self, process):
        process.kill()
        process.wait()

    def assert_gone(self, pid):
        """The process ends by itself: waiting on a pidfd, not on a clock."""
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        ready, _, _ = select.select([fd], [], [], 30)
        os.close(fd)
        self.assertTrue(ready, f"process {pid} outlived the runner")


class Terminal:
    """Drydock on a terminal of its own, which is always read: a full one would stop its writer."""

    def __init__(self, case, *arguments, before_exec=lambda: None):
        self.case = case
        try:
            self.ours, theirs = pty.openpty()
        except OSError as reason:
            case.skipTest(f"no terminal can be made here ({reason})")
        self.process = subprocess.Popen([DRYDOCK, "-C", case.dir, *arguments], stdin=theirs,
                                        stdout=theirs, stderr=theirs, start_new_session=True,
                                        env={**os.environ, "TERM": "xterm"},
                                        preexec_fn=lambda: (fcntl.ioctl(0, termios.TIOCSCTTY, 0),
                                                            before_exec()))
        os.close(theirs)
        self.screen, self.grew = "", threading.Condition()
        self.stop, self.stopped = os.pipe(), False
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        case.addCleanup(lambda: (self.process.kill(), self.process.wait(), self.close()))

    def type(self, text):
        os.write(self.ours, text.encode())

    def read(self):
        while True:
            ready, _, _ = select.select([self.ours, self.stop[0]], [], [])
            if self.stop[0] in ready:
                return
            try:
                text = os.read(self.ours, 65536).decode(errors="replace")
            except OSError:  # nobody has it open any more
                return
            with self.grew:
                self.screen += text
                self.grew.notify()

    def read_until(self, word):
        with self.grew:
            self.case.assertTrue(self.grew.wait_for(lambda: word in self.screen, 60), self.screen)
            self.screen = ""

    def close(self):
        """As when its window is closed: whoever has it gets SIGHUP, and errors from then on."""
        if self.stopped:
            return
        self.stopped = True
        os.write(self.stop[1], b"x")
        self.reader.join()
        for fd in (self.ours, *self.stop):
            os.close(fd)
