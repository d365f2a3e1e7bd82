#!/usr/bin/env python3
"""Where plugins are looked for, in which order, and what is said of those that do not count."""
import hashlib
import os

import prefix


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class SearchPath(prefix.PrefixTest):
    def put(self, folder, version="1.0.0", name="good.so"):
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / name
        file.write_bytes(self.variant(version=("1.0.0", version)))
        file.chmod(0o644)
        return file

    def used(self, *words, **environment):
        """The file that provides the stage type `good`."""
        return self.json("stages", "good", *words, **environment)["plugin_file"]

    def test_what_is_found_first_wins(self):
        own, listed = self.place / "own", self.place / "listed"
        files = [self.put(folder, f"1.0.{n}")
                 for n, folder in enumerate((own, listed, self.user, self.system, self.built_in))]
        path = {"DRYDOCK_PLUGIN_PATH": f":{listed}"}
        self.assertEqual(self.used("--plugin-dir", own, **path), str(files[0]))
        self.assertEqual(self.used(**path), str(files[1]))
        self.assertEqual(self.used(), str(files[2]))
        files[2].unlink()
        self.assertEqual(self.used(), str(files[3]))
        files[3].unlink()
        self.assertEqual(self.used(), str(files[4]))

    def test_the_user_folder_follows_xdg_data_home(self):
        file = self.put(self.place / "data/drydock/plugins")
        self.assertEqual(self.used(XDG_DATA_HOME=str(self.place / "data")), str(file))

    def test_hidden_ones_are_listed(self):
        first, second = self.put(self.user, "1.0.1"), self.put(self.system)
        listed = self.json("plugin", "list")
        self.assertEqual([(each["file"], each["version"], each["hidden_by"]) for each in listed["plugins"]],
                         [(str(first), "1.0.1", None), (str(second), "1.0.0", str(first))])
        self.assertEqual([folder["origin"] for folder in listed["folders"]],
                         ["of the user", "of the system", "built in"])
        said = self.drydock("plugin", "list")
        self.assertIn(f"{self.user} (of the user)\n  good.so                test.good 1.0.1: good\n", said)
        self.assertIn("    hidden by", said)

    def test_a_stage_type_of_another_plugin_is_hidden_alone(self):
        self.put(self.user)
        self.system.mkdir()
        other = self.system / "other.so"
        other.write_bytes(self.variant(id=("test.good", "test.evil")))
        plugin = self.json("plugin", "list")["plugins"][1]
        self.assertEqual(plugin["hidden_stage_types"], {"good": str(self.user / "good.so")})

    def test_hiding_a_built_in_one_is_said(self):
        self.put(self.built_in)
        self.put(self.user, "1.0.1")
        self.write("work/drydock.yaml", "drydock: 1\nstages: [{uses: good, with: {file: made}}]\n")
        said = self.drydock("plan")
        self.assertEqual(self.code, 0, said)
        self.assertIn("the stage type 'good' is that of", " ".join(said.split()))
        self.assertIn("which hides the built-in one", " ".join(said.split()))

    def test_two_files_of_one_folder_are_a_problem(self):
        self.put(self.user)
        self.put(self.user, "1.0.1", "again.so")
        self.refuses("", "validate")
        said = " ".join(self.drydock("plugin", "list").split())
        self.assertIn("refused: The plugin 'test.good' is in both", said)
        self.assertIn("remove one of the two files.", said)

    def test_a_folder_that_was_named_has_to_be_there(self):
        self.refuses("the plugin folder /nothing of --plugin-dir does not exist", "stages", "--plugin-dir",
                     "/nothing")
        self.refuses("the plugin folder /nothing of DRYDOCK_PLUGIN_PATH does not exist", "stages",
                     DRYDOCK_PLUGIN_PATH="/nothing")
        self.refuses("found 'here' in DRYDOCK_PLUGIN_PATH, allowed: absolute paths", "stages",
                     DRYDOCK_PLUGIN_PATH="here")

    def test_what_others_can_write_is_refused_with_the_remedy(self):
        file = self.put(self.user)
        file.chmod(0o666)
        self.write("work/drydock.yaml", "drydock: 1\nstages: [{uses: good, with: {file: made}}]\n")
        self.refuses(f"{file} is writable by everybody, who could change what Drydock executes: chmod o-w "
                     f"{file}.", "plan")
        file.chmod(0o664)
        said = " ".join(self.drydock("plugin", "list").split())
        self.assertIn(f"warning: {file} is writable by its group: chmod g-w {file}.", said)
        file.chmod(0o644)
        self.user.chmod(0o777)
        self.refuses(f"chmod o-w {self.user}.", "plan")
        self.user.chmod(0o755)
        if os.geteuid() == 0:
            os.chown(file, 12345, -1)
            self.refuses(f"{file} belongs to user 12345, who could change what Drydock executes: give it to "
                         "yourself or to root with chown.", "plan")

    def test_a_pin_that_a_hidden_one_fits_says_so(self):
        newer, older = self.put(self.user, "2.0.0"), self.put(self.system, "1.4.0")
        self.write("work/drydock.yaml", "drydock: 1\nplugins: {test.good: {version: '>=1.2 <2'}}\n"
                                        "stages: [{uses: good, with: {file: made}}]\n")
        self.refuses(f"drydock.yaml:2:22: found version 2.0.0 of plugin 'test.good' in {newer}, allowed: "
                     f">=1.2 <2; install that version or change the pin ({older} is 1.4.0, and hidden by "
                     "that file).", "validate")
        newer.unlink()
        self.assertIn("valid", self.drydock("validate"))

    def test_a_pin_is_compared_before_anything_is_loaded(self):
        crashing = prefix.GIVEN["GOOD_PLUGIN"].with_name("fault-exit-in-constructor.so").read_bytes()
        self.user.mkdir(parents=True)
        (self.user / "good.so").write_bytes(crashing)
        (self.user / "good.so").chmod(0o644)
        name = crashing[crashing.index(b"\nid=") + 4:].split(b"\n")[0].decode()
        self.write("work/drydock.yaml", f"drydock: 1\nplugins: {{{name}: {{sha256: {'a' * 64}}}}}\n"
                                        "stages: [{uses: good, with: {file: made}}]\n")
        self.refuses(f"found SHA-256 {sha256(crashing)} of {self.user}/good.so, allowed: {'a' * 64}", "validate")

    def test_a_stage_of_a_pinned_plugin_is_that_of_no_other(self):
        pinned = self.put(self.system)
        other = self.user / "other.so"
        self.user.mkdir(parents=True)
        other.write_bytes(self.variant(id=("test.good", "test.evil")))
        other.chmod(0o644)
        self.write("work/drydock.yaml", f"drydock: 1\nplugins: {{test.good: {{sha256: {sha256(self.good)}}}}}\n"
                                        "stages:\n  - uses: good\n    with: {file: made}\n")
        self.refuses(f"drydock.yaml:4:5: found the stage type 'good' of {other}, which hides that of the pinned "
                     f"plugin 'test.good', allowed: the pinned one's, in {pinned}; remove the other file",
                     "validate")
        other.unlink()
        self.assertIn("valid", self.drydock("validate"))

    def test_a_plugin_that_is_replaced_during_a_run_is_not_loaded(self):
        """Its own stage replaces it, as somebody else might."""
        file = self.put(self.user)
        self.write("work/replace.sh", f"cp {file} {file}.new && mv {file}.new {file}\n")
        self.write("prefix/lib/drydock/stages/exec.so",
                   (prefix.GIVEN["DRYDOCK"].parents[1] / "lib/drydock/stages/exec.so").read_bytes())
        self.write("work/drydock.yaml", "drydock: 1\nstages:\n"
                                        "  - {uses: exec, with: {command: [sh, replace.sh]}}\n"
                                        "  - {uses: good, with: {file: made}}\n")
        said = " ".join(self.drydock("run", "--yes").split())
        self.assertIn(f"{file} is not the file any more that it was when Drydock looked at it", said)
        self.assertFalse((self.place / "work/made").exists())

    def test_many_are_asked_at_once_and_remembered(self):
        for n in range(40):
            (self.user / "many").mkdir(parents=True, exist_ok=True)
            name = f"goo{chr(97 + n % 26)}{n // 26}"
            content = self.variant(id=("test.good", f"te{n:02}.good"))
            (self.user / "many" / f"{name}.so").write_bytes(content)
        where = {"DRYDOCK_PLUGIN_PATH": str(self.user / "many")}
        for _ in range(2):
            listed = self.json("plugin", "list", **where)
            self.assertEqual(len(listed["plugins"]), 40)
            self.assertEqual(listed["plugins"], sorted(listed["plugins"], key=lambda each: each["file"]))


if __name__ == "__main__":
    prefix.main()
