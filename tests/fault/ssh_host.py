"""A host of the test's own: `sshd` on a loopback port, with keys and configuration of its own, as this
user. Each connection passes through this process, which can cut it; nothing here sleeps to be in time."""
import getpass
import os
import select
import shutil
import socket
import subprocess
import threading

SSHD = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def missing():
    """Why there can be no such host here; "" when there can."""
    if SSHD is None or shutil.which("ssh") is None:
        return "there is no sshd (pipelines/install-dependencies.sh --tests)"
    return ""


def make_key(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", path], check=True)
    with open(path + ".pub", encoding="utf-8") as file:
        return " ".join(file.read().split()[:2])


def word(path):
    """In a configuration of OpenSSH, which replaces %-sequences in most names of files."""
    return '"' + path.replace("%", "%%") + '"'


class Client:
    """The user's side: one key, one ssh_config, one known_hosts, all in `folder`."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, mode=0o700)
        self.config = os.path.join(folder, "config")
        self.known_hosts = os.path.join(folder, "known_hosts")
        self.public_key = make_key(os.path.join(folder, "key"))

    def add(self, alias, port, host_key):
        with open(self.config, "a", encoding="utf-8") as file:
            file.write(f"""Host {alias}
  HostName 127.0.0.1
  Port {port}
  User {getpass.getuser()}
  HostKeyAlias {alias}
  IdentityFile {word(self.folder + "/key")}
  IdentitiesOnly yes
  UserKnownHostsFile {word(self.known_hosts)}
  GlobalKnownHostsFile /dev/null
""")
        self.know(alias, host_key)

    def know(self, alias, host_key):
        with open(self.known_hosts, "a", encoding="utf-8") as file:
            file.write(f"{alias} {host_key}\n")


class Host:
    def __init__(self, folder, binary, environment=None, port=0):
        """`binary`: what `drydock` means there. Programs in bin/ come before all others."""
        self.folder = folder
        self.bin = os.path.join(folder, "bin")
        os.makedirs(self.bin)
        os.symlink(binary, os.path.join(self.bin, "drydock"))
        self.host_key = make_key(os.path.join(folder, "host_key"))
        self.authorized = os.path.join(folder, "authorized_keys")
        self.log = os.path.join(folder, "log")
        if os.geteuid() == 0:  # where its unprivileged half is locked up
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        # A home without what the login shell of this machine's user does first, and no other Drydock.
        variables = {"PATH": self.bin + ":/usr/local/bin:/usr/bin:/bin", "HOME": folder,
                     "XDG_CACHE_HOME": os.path.join(folder, "cache"), **(environment or {})}
        os.mkdir(os.path.join(folder, "cache"))
        with open(os.path.join(folder, "sshd_config"), "w", encoding="utf-8") as file:
            file.write(f"""HostKey "{folder}/host_key"
AuthorizedKeysFile {word(self.authorized)}
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PidFile none
LogLevel ERROR
MaxSessions 200
SetEnv {" ".join(f'"{name}={value}"' for name, value in variables.items())}
""")
        self.listener = None
        self.lock = threading.Lock()
        self.links = []  # (socket of the client, ours of the server's, sshd)
        self.accepted = 0
        self.wake = os.pipe()
        # Never listens, and keeps the port from others while the host is away.
        self.reserved = socket.socket()
        self.reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.reserved.bind(("127.0.0.1", port))
        self.port = self.reserved.getsockname()[1]
        self.running = True
        self.silent = False
        self.back()
        self.thread = threading.Thread(target=self.carry, daemon=True)
        self.thread.start()

    def let_in(self, public_key):
        with open(self.authorized, "a", encoding="utf-8") as file:
            file.write(public_key + "\n")

    def back(self):
        """It is there, on the same port as ever."""
        listener = socket.create_server(("127.0.0.1", self.port), backlog=256, reuse_port=True)
        with self.lock:
            self.listener = listener
        os.write(self.wake[1], b"x")

    def away(self):
        """As if its cable was pulled: what was connected is lost, and nobody is let in."""
        with self.lock:
            if self.listener is not None:
                self.listener.close()
            self.listener = None
            self.drop()
        os.write(self.wake[1], b"x")

    def fall_silent(self, silent=True):
        """Nothing is carried any more, and nobody is told."""
        self.silent = silent
        os.write(self.wake[1], b"x")

    def cut(self):
        """Only what is connected now."""
        with self.lock:
            self.drop()
        os.write(self.wake[1], b"x")

    def drop(self):
        for link in list(self.links):
            self.end(link)

    def end(self, link):
        """Shut down first: a socket that another thread waits for is closed only when it looks again."""
        self.links.remove(link)
        client, server, sshd = link
        for side in (client, server):
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:  # the other end was quicker
                pass
            side.close()
        sshd.wait()

    def close(self):
        self.running = False
        self.away()
        self.thread.join()
        for fd in self.wake:
            os.close(fd)

    def accept(self):
        client, _ = self.listener.accept()
        ours, theirs = socket.socketpair()
        with open(self.log, "ab") as log:
            sshd = subprocess.Popen([SSHD, "-i", "-e", "-f", os.path.join(self.folder, "sshd_config")],
                                    stdin=theirs, stdout=theirs, stderr=log)
        theirs.close()
        self.accepted += 1
        self.links.append((client, ours, sshd))

    def carry(self):
        """Takes connections, and their bytes to and fro."""
        while self.running:
            with self.lock:
                ends = {side: link for link in self.links for side in link[:2]}
                listener = self.listener
            wanted = [self.wake[0]] + ([] if self.silent else [*ends, *([listener] if listener else [])])
            try:
                ready, _, _ = select.select(wanted, [], [])
            except (OSError, ValueError):  # one was closed meanwhile
                continue
            if self.wake[0] in ready:
                os.read(self.wake[0], 1)
                continue
            with self.lock:
                if listener in ready and self.listener is listener:
                    self.accept()
                for side in ready:
                    link = ends.get(side)
                    if link in self.links:
                        self.pass_on(link, side)

    def pass_on(self, link, side):
        client, server, _ = link
        try:
            data = side.recv(65536)
            if data:
                (server if side is client else client).sendall(data)
                return
        except OSError:
            pass
        self.end(link)
