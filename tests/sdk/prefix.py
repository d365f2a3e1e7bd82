"""What the tests of packing, installing and finding plugins share: an installation of their own."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

GIVEN = {name: pathlib.Path(os.environ[name]) for name in ("DRYDOCK", "DRYDOCK_STAGE", "GOOD_PLUGIN")}


class PrefixTest(unittest.TestCase):
    """`drydock` in a prefix of its own, with a home of its own and the plugin `good` at hand."""

    def setUp(self):
        self.place = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="drydock-plugins-")))
        self.place = self.place.resolve()
        for name in ("prefix/bin", "prefix/lib/drydock/stages", "home", "runtime", "work", "deployment"):
            (self.place / name).mkdir(parents=True)
        for name in ("DRYDOCK", "DRYDOCK_STAGE"):
            shutil.copy(GIVEN[name], self.place / "prefix/bin" / GIVEN[name].name)
        self.good = GIVEN["GOOD_PLUGIN"].read_bytes()
        self.file = self.write("work/good.so", self.good)
        self.user = self.place / "home/.local/share/drydock/plugins"
        self.system = self.place / "prefix/lib/drydock/plugins"
        self.built_in = self.place / "prefix/lib/drydock/stages"
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.place / "home"),
                            "XDG_RUNTIME_DIR": str(self.place / "runtime"),
                            "DOCKER_HOST": f"unix://{self.place}/no-docker.sock"}

    def write(self, name, content):
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(0o644)
        return path

    def drydock(self, *words, **environment):
        """What it printed; `code` has its exit code."""
        ended = subprocess.run([self.place / "prefix/bin/drydock", *map(str, words)], text=True,
                               cwd=self.place / "work", env={**self.environment, **environment},
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               check=False)
        self.code = ended.returncode
        return ended.stdout

    def refuses(self, sentence, *words, **environment):
        """It ends with 2 and says that, and leaves nothing in the folders of plugins."""
        said = self.drydock(*words, **environment)
        self.assertEqual(self.code, 2, said)
        self.assertIn(sentence, said)

    def json(self, *words, **environment):
        return json.loads(self.drydock(*words, "--json", **environment))

    def variant(self, **replaced):
        """The plugin `good` with other texts of the same length in its note and its description."""
        content = self.good
        for old, new in replaced.values():
            assert len(old) == len(new) and old.encode() in content, (old, new)
            content = content.replace(old.encode(), new.encode())
        return content


def main():
    unittest.main(verbosity=2)
