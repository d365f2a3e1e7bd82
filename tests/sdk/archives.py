#!/usr/bin/env python3
"""`drydock plugin pack` and `install`: what is packed is what is installed, whole or not at all."""
import hashlib
import io
import json
import os
import subprocess
import tarfile

import prefix

AARCH64 = 183


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def for_another_machine(elf):
    return elf[:18] + AARCH64.to_bytes(2, "little") + elf[20:]


class Pack(prefix.PrefixTest):
    def test_gives_the_same_bytes_again(self):
        first = self.json("plugin", "pack", self.file)
        self.assertEqual(self.code, 0)
        os.utime(self.file, (1, 1))
        self.file.chmod(0o600)
        again = self.json("plugin", "pack", self.file, "--out", "other.tar")
        archive = (self.place / "work" / first["archive"]).read_bytes()
        self.assertEqual(archive, (self.place / "work/other.tar").read_bytes())
        self.assertEqual(first["sha256"], sha256(archive))
        self.assertEqual(again["sha256"], sha256(archive))
        self.assertEqual(first["archive"], "test.good-1.0.0-x86_64.tar" if os.uname().machine == "x86_64"
                         else "test.good-1.0.0-aarch64.tar")

    def test_holds_a_manifest_and_the_plugin(self):
        name = self.json("plugin", "pack", self.file)["archive"]
        with tarfile.open(self.place / "work" / name) as archive:
            self.assertEqual(archive.getnames(), ["manifest.json", "good.so"])
            for member in archive:
                self.assertEqual((member.mtime, member.uid, member.gid, member.mode, member.uname),
                                 (0, 0, 0, 0o644, ""))
            manifest = json.load(archive.extractfile("manifest.json"))
            self.assertEqual(archive.extractfile("good.so").read(), self.good)
        self.assertEqual(manifest["id"], "test.good")
        self.assertEqual(manifest["files"], {"good.so": {"sha256": sha256(self.good),
                                                         "size": len(self.good)}})

    def test_says_how_to_install(self):
        said = self.drydock("plugin", "pack", self.file)
        digest = sha256(next((self.place / "work").glob("*.tar")).read_bytes())
        self.assertIn(f"drydock plugin install test.good-1.0.0-{os.uname().machine}.tar \\\n"
                      f"    --sha256 {digest}", said)

    def test_refuses_what_is_no_plugin(self):
        self.refuses("text.so is no ELF file", "plugin", "pack", self.write("work/text.so", "text"))
        self.refuses("odd name.so is no plain name", "plugin", "pack",
                     self.write("work/odd name.so", self.good))
        self.refuses("good.txt is no name that ends with .so", "plugin", "pack",
                     self.write("work/good.txt", self.good))
        self.refuses("is built for aarch64, and this machine is", "plugin", "pack",
                     self.write("work/other.so", for_another_machine(self.good)))
        self.assertEqual(list((self.place / "work").glob("*.tar")), [])


class Install(prefix.PrefixTest):
    def packed(self, file=None):
        said = self.json("plugin", "pack", file or self.file)
        return self.place / "work" / said["archive"], said["sha256"]

    def archive(self, members):
        """A tar file of (name, content) or of a TarInfo, and its digest."""
        bytes_ = io.BytesIO()
        with tarfile.open(fileobj=bytes_, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for member in members:
                if isinstance(member, tarfile.TarInfo):
                    archive.addfile(member)
                else:
                    info = tarfile.TarInfo(member[0])
                    info.size = len(member[1])
                    archive.addfile(info, io.BytesIO(member[1]))
        return self.write("work/made.tar", bytes_.getvalue()), sha256(bytes_.getvalue())

    def manifest(self, plugin=None, file="good.so", **changed):
        plugin = self.good if plugin is None else plugin
        read = {"drydock_plugin": 1, "id": "test.good", "version": "1.0.0", "abi": self.abi(),
                "architecture": os.uname().machine,
                "files": {file: {"sha256": sha256(plugin), "size": len(plugin)}}}
        return ("manifest.json", json.dumps({**read, **changed}).encode())

    def abi(self):
        note = self.good[self.good.index(b"drydock-plugin\nabi="):]
        return [int(part) for part in note.split(b"abi=")[1].split(b"\n")[0].split(b".")]

    def install(self, archive, digest, *words):
        return self.drydock("plugin", "install", archive, "--sha256", digest, *words)

    def is_refused(self, sentence, members):
        archive, digest = self.archive(members)
        self.refuses(sentence, "plugin", "install", archive, "--sha256", digest)
        self.assertFalse(self.user.exists() and list(self.user.iterdir()))
        self.assertFalse((self.place / "evil.so").exists())

    def test_makes_a_plugin_that_is_found(self):
        said = self.install(*self.packed())
        self.assertEqual(self.code, 0, said)
        self.assertIn(f"installed test.good 1.0.0 as {self.user}/good.so", said)
        self.assertEqual((self.user / "good.so").read_bytes(), self.good)
        self.assertEqual((self.user / "good.so").stat().st_mode & 0o777, 0o644)
        self.assertEqual([file.name for file in self.user.iterdir()], ["good.so"])
        self.assertIn("good: Write one line into a file", self.drydock("stages", "good"))

    def test_pins_as_it_says(self):
        lines = self.install(*self.packed()).splitlines()
        pins = "\n".join(line[2:] for line in lines[lines.index("  plugins:"):])
        self.write("work/drydock.yaml", f"drydock: 1\n{pins}\nstages:\n"
                                        "  - {uses: good, with: {file: made}}\n")
        self.assertIn("valid", self.drydock("validate"))
        self.assertEqual(self.code, 0)

    def test_goes_where_it_is_told(self):
        archive, digest = self.packed()
        self.install(archive, digest, "--system")
        self.assertTrue((self.system / "good.so").exists())
        self.install(archive, digest, "--plugin-dir", self.place / "own")
        self.assertTrue((self.place / "own/good.so").exists())
        self.refuses("found both --system and --plugin-dir", "plugin", "install", archive, "--sha256", digest,
                     "--system", "--plugin-dir", self.place / "own")

    def test_looks_at_nothing_whose_hash_is_another(self):
        archive, digest = self.packed()
        other = self.write("work/changed.tar", archive.read_bytes()[:-1] + b"x")
        self.refuses(f"and {digest} is expected; it is another one, or was changed", "plugin", "install",
                     other, "--sha256", digest)
        self.refuses("--sha256 HEX is missing", "plugin", "install", archive)
        self.refuses("found 'abc' after --sha256, allowed: 64 hexadecimal digits", "plugin", "install",
                     archive, "--sha256", "abc")
        self.assertFalse(self.user.exists())

    def test_takes_a_digest_in_capitals(self):
        archive, digest = self.packed()
        self.install(archive, digest.upper())
        self.assertEqual(self.code, 0)

    def test_refuses_every_way_out_of_the_folder(self):
        good = ("good.so", self.good)
        for name in ("../../evil.so", "/evil.so", "sub/evil.so", ".evil.so", "evil.so/", "evil.txt", "e\nvil.so"):
            self.is_refused("which is no", [self.manifest(file=name), (name, self.good)])
        self.is_refused("has the member '../evil.so' where 'good.so' is expected",
                        [self.manifest(), ("../evil.so", self.good)])
        self.is_refused("has the member '../evil.so', and only a manifest and one plugin are allowed",
                        [self.manifest(), good, ("../evil.so", self.good)])
        for kind, target in ((tarfile.SYMTYPE, "../evil.so"), (tarfile.LNKTYPE, "manifest.json"),
                             (tarfile.DIRTYPE, ""), (tarfile.FIFOTYPE, "")):
            odd = tarfile.TarInfo("good.so")
            odd.type, odd.linkname = kind, target
            self.is_refused("good.so", [self.manifest(), odd])

    def test_refuses_what_the_manifest_does_not_say(self):
        good = ("good.so", self.good)
        self.is_refused("has no member 'manifest.json' in its place", [])
        self.is_refused("has the member 'good.so' where 'manifest.json' is expected",
                        [good, self.manifest()])
        self.is_refused("has a manifest that cannot be read", [("manifest.json", b"{"), good])
        self.is_refused("has a manifest that cannot be read", [("manifest.json", b"[7]"), good])
        self.is_refused("has the format 2, and this Drydock reads 1", [self.manifest(drydock_plugin=2), good])
        self.is_refused("and its manifest says", [self.manifest(plugin=b"other"), good])
        self.is_refused("says that it holds test.evil 1.0.0, and good.so in it is test.good 1.0.0",
                        [self.manifest(id="test.evil"), good])
        self.is_refused("is built for plugin ABI 77.0", [self.manifest(abi=[77, 0]), good])
        archive, _ = self.archive([self.manifest(), good])
        cut = self.write("work/cut.tar", archive.read_bytes()[:3000])
        self.refuses("ends within its member 'good.so'", "plugin", "install", cut, "--sha256",
                     sha256(cut.read_bytes()))
        text = self.write("work/text.tar", "no archive")
        self.refuses("", "plugin", "install", text, "--sha256", sha256(b"no archive"))
        self.assertFalse(self.user.exists())

    def test_refuses_another_machine_without_loading(self):
        other = for_another_machine(self.good)
        self.is_refused("is built for aarch64, and this machine is",
                        [self.manifest(architecture="aarch64" if os.uname().machine != "aarch64" else "x86_64",
                                       plugin=other), ("good.so", other)])
        self.is_refused("holds good.so, which is built for aarch64, and this machine is",
                        [self.manifest(plugin=other), ("good.so", other)])

    def test_leaves_nothing_of_what_cannot_be_loaded(self):
        broken = self.variant(symbol=("drydock_plugin_v1", "drydock_plugin_vX"))
        why = "good.so does not export drydock_plugin_v1: register it with DRYDOCK_PLUGIN"
        self.is_refused(f"{why}; nothing was installed", [self.manifest(plugin=broken), ("good.so", broken)])
        file = self.write("work/broken.so", broken)
        self.refuses(f"{why.replace('good', 'broken')}; `drydock plugin check {file}` looks at all of it", "plugin",
                     "pack", file)

    def test_packs_nothing_that_others_can_change(self):
        (self.place / "work").chmod(0o777)
        self.refuses(f"{self.place}/work is writable by everybody", "plugin", "pack", self.file)

    def test_says_before_it_installs_that_the_search_path_is_wrong(self):
        archive, digest = self.packed()
        self.refuses("the plugin folder /nothing of DRYDOCK_PLUGIN_PATH does not exist", "plugin", "install",
                     archive, "--sha256", digest, DRYDOCK_PLUGIN_PATH="/nothing")
        self.assertEqual(list(self.user.iterdir()), [])

    def test_two_at_once_end_as_one_after_the_other(self):
        archives = []
        for n in range(6):  # the same plugin under other names: one may be there
            file = self.write(f"work/{n}/good{n}.so", self.good)
            archives.append(self.json("plugin", "pack", file, "--out", f"{n}.tar"))
        installs = [subprocess.Popen(
            [self.place / "prefix/bin/drydock", "plugin", "install", f"{n}.tar", "--sha256", each["sha256"]],
            cwd=self.place / "work", env=self.environment, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT) for n, each in enumerate(archives)]
        said = [install.communicate()[0] for install in installs]
        self.assertEqual(sorted(install.returncode for install in installs), [0, 2, 2, 2, 2, 2], said)
        self.assertEqual(len(list(self.user.iterdir())), 1)
        self.drydock("stages", "good")
        self.assertEqual(self.code, 0)

    def test_words_in_a_manifest_are_plain(self):
        for changed in ({"id": "test.\x1b[2J"}, {"version": "1\n2"}, {"architecture": "\x1b[2J"}):
            self.is_refused("has a manifest whose words are no plain ones",
                            [self.manifest(**changed), ("good.so", self.good)])

    def test_refuses_folders_that_others_can_write(self):
        archive, digest = self.packed()
        self.user.mkdir(parents=True)
        self.user.chmod(0o777)
        self.refuses(f"{self.user} is writable by everybody, who could change what Drydock executes: "
                     f"chmod o-w {self.user}.", "plugin", "install", archive, "--sha256", digest)
        self.assertEqual(list(self.user.iterdir()), [])
        if os.geteuid() == 0:
            self.user.chmod(0o755)
            os.chown(self.user, 12345, -1)
            self.refuses("belongs to user 12345", "plugin", "install", archive, "--sha256", digest)

    def test_replaces_an_earlier_version(self):
        self.install(*self.packed())
        newer = self.write("work/newer/good.so", self.variant(version=("1.0.0", "1.0.1")))
        said = self.install(*self.packed(newer))
        self.assertIn("installed test.good 1.0.1 in place of 1.0.0", said)
        self.assertEqual((self.user / "good.so").read_bytes(), newer.read_bytes())

    def test_replaces_no_other_plugin(self):
        self.install(*self.packed())
        other = self.write("work/other/good.so", self.variant(id=("test.good", "test.evil")))
        self.refuses("good.so is the plugin test.good 1.0.0, and test.evil would replace it", "plugin",
                     "install", *self.with_digest(other))
        beside = self.write("work/beside/other.so", self.variant(id=("test.good", "test.evil")))
        self.refuses("the stage type 'good' is provided by", "plugin", "install", *self.with_digest(beside))
        again = self.write("work/again/again.so", self.good)
        self.refuses("the plugin test.good 1.0.0 is there already as", "plugin", "install",
                     *self.with_digest(again))
        self.assertEqual([file.name for file in self.user.iterdir()], ["good.so"])

    def with_digest(self, file):
        archive, digest = self.packed(file)
        return archive, "--sha256", digest


if __name__ == "__main__":
    prefix.main()
