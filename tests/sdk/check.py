#!/usr/bin/env python3
"""`drydock plugin check` as a person uses it: options, an example of a deployment, what it prints."""
import os
import signal
import subprocess

import prefix


class Check(prefix.PrefixTest):
    def verdicts(self, *words):
        return {check["name"]: (check["verdict"], check["sentence"])
                for check in self.json("plugin", "check", *words)["checks"]}

    def test_prints_lines_that_fit_a_terminal(self):
        said = self.drydock("plugin", "check", self.file)
        self.assertEqual(self.code, 0, said)
        lines = said.splitlines()
        self.assertEqual(lines[0], str(self.file))
        self.assertEqual(lines[1], "  pass  note      It is test.good 1.0.0, which is known without executing it.")
        self.assertEqual(lines[-1], "18 passed, 0 failed, 0 warned, 0 skipped")
        self.assertTrue(all(len(line) <= 80 for line in lines[1:]), said)
        self.assertEqual(os.listdir(self.place / "runtime"), [])

    def test_a_fail_ends_with_5(self):
        broken = self.write("work/broken.so", self.variant(note=("drydock-plugin", "drydock-plugiN")))
        said = self.drydock("plugin", "check", broken)
        self.assertEqual(self.code, 5, said)
        self.assertIn("  fail  note      It has a damaged section .drydock: rebuild it with", said)

    def test_options_are_those_that_are_given(self):
        given = self.write("work/options.yaml", "good: {file: folder/made}\n")
        failing = self.verdicts(self.file, "--with", given)
        self.assertEqual(self.code, 5)
        self.assertEqual(failing["steps"],
                         ("fail", "Its step run failed (the file cannot be written), so what comes after was "
                                  "not shown: give options that work with --with FILE, an example of a "
                                  "deployment with -C DIR, or --without-run where this machine has not what "
                                  "it needs."))
        self.assertEqual(failing["killed"], ("skip", "Not tried: see 'steps'."))
        # The same in JSON, on a deployment that has the folder.
        given = self.write("work/options.json", '{"good": {"file": "folder/made"}}')
        self.write("example/folder/other", "there")
        passing = self.verdicts(self.file, "--with", given, "-C", self.place / "example")
        self.assertEqual({verdict for verdict, _ in passing.values()}, {"pass"})
        self.assertEqual(os.listdir(self.place / "example/folder"), ["other"])

    def test_slips_are_named(self):
        check = ("plugin", "check", self.file, "--with")
        self.refuses("options.yaml: found options of 'godo', which the plugin does not provide, allowed: good; "
                     "did you mean 'good'?", *check, self.write("work/options.yaml", "godo: {file: x}\n"))
        self.refuses("option 'fiel' of stage 'good': found an unknown option, allowed: file, text, token",
                     *check, self.write("work/options.yaml", "good: {fiel: x}\n"))
        self.refuses("options.yaml:1:7: found no options of a stage type, allowed: a mapping such as",
                     *check, self.write("work/options.yaml", "good: x\n"))
        self.refuses("plugin list: --seed is for `plugin check`", "plugin", "list", "--seed", "3")
        self.refuses("plugin check: FILE is missing", "plugin", "check")

    def test_a_seed_makes_the_same_again(self):
        said = self.json("plugin", "check", self.file, "--seed", "77")
        self.assertEqual(said["seed"], 77)
        fuzz = next(check for check in said["checks"] if check["name"] == "fuzz")
        self.assertTrue(fuzz["sentence"].endswith("sets of odd options (--seed 77)."), fuzz)


    def test_what_is_no_plugin_is_found_and_told(self):
        self.write("work/text.so", "text")
        self.write("work/empty.so", "")
        (self.place / "work/folder.so").mkdir()
        os.mkfifo(self.place / "work/pipe.so")
        sentences = {"nothing.so": "It cannot be read: No such file or directory.",
                     "text.so": "It is no ELF file: a plugin is a shared library.",
                     "empty.so": "It is empty: copy or build it again.",
                     "folder.so": "It is a folder: a plugin is a shared library.",
                     "pipe.so": "It is no regular file."}
        for name, sentence in sentences.items():
            verdicts = self.verdicts(name)
            self.assertEqual((self.code, verdicts.pop("note")), (5, ("fail", sentence)))
            self.assertEqual({verdict for verdict, _ in verdicts.values()}, {"skip"})
            self.assertIn("  fail  note      " + sentence[:50], self.drydock("plugin", "check", name))

    def test_without_run_nothing_is_run(self):
        made = self.place / "made"
        given = self.write("work/options.yaml", f"good: {{file: {made}}}\n")
        self.file.chmod(0o644)
        verdicts = self.verdicts(self.file, "--with", given, "--without-run")
        self.assertEqual(self.code, 0)
        left_out = "Not tried: its run is left out (--without-run)."
        self.assertEqual(verdicts["steps"],
                         ("skip", "Its observe and plan end well; its run is left out (--without-run)."))
        self.assertEqual([verdicts[name] for name in ("cancel", "killed")], [("skip", left_out)] * 2)
        self.assertEqual(verdicts["secrets"], ("skip", "Not shown: run did not end."))
        self.assertEqual(verdicts["looks"][0], "pass")
        self.assertFalse(made.exists())

    def test_links_out_of_the_example_are_refused(self):
        self.write("outside", "theirs")
        for target in ("../outside", str(self.place / "outside"), "inner/../../outside", "../example/real"):
            self.write("example/real", "ours")
            link = self.place / "example/made"
            link.unlink(missing_ok=True)
            link.symlink_to(target)
            self.refuses(f"has the link made to {target}, which leads out of it", "plugin", "check", self.file,
                         "-C", self.place / "example")
        self.assertEqual((self.place / "outside").read_text(), "theirs")
        # Through a link that stays inside, the copy is changed.
        link.unlink()
        link.symlink_to("real")
        self.assertEqual(self.verdicts(self.file, "-C", self.place / "example")["steps"][0], "pass")
        self.assertEqual((self.place / "example/real").read_text(), "ours")

    def test_a_cancel_rolls_back_and_leaves_nothing(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            made = self.place / "made-outside"
            given = self.write("work/options.yaml", f"good: {{file: {made}}}\n")
            waiting = self.write("work/waiting.so", prefix.GIVEN["GOOD_PLUGIN"].with_name("waiting.so").read_bytes())
            (self.place / "example").mkdir(exist_ok=True)
            check = subprocess.Popen(
                [self.place / "prefix/bin/drydock", "plugin", "check", waiting, "--with", given, "-C",
                 self.place / "example"], cwd=self.place / "work", env=self.environment, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            while not made.exists():
                self.assertIsNone(check.poll())
            check.send_signal(number)
            said = check.communicate()[0]
            self.assertEqual(check.returncode, 130, said)
            self.assertIn("Cancelled; what was tried is rolled back.", said)
            self.assertFalse(made.exists())
            self.assertEqual(os.listdir(self.place / "runtime"), [])

    def test_what_cannot_be_put_back_is_said(self):
        settles = self.write("work/settles.so",
                             prefix.GIVEN["GOOD_PLUGIN"].with_name("fault-settle-fails.so").read_bytes())
        left = self.json("plugin", "check", settles)["left_behind"]
        self.assertEqual(left, ["What the run of 'good' did outside of the check's own folders may still be there: Its "
                                "step settle failed (it does not start)."])
        self.assertIn("warning: What the run of 'good' did", self.drydock("plugin", "check", settles))
        self.assertEqual(self.json("plugin", "check", self.file)["left_behind"], [])

    def test_what_a_killed_check_left_is_removed_by_the_next(self):
        given = self.write("work/options.yaml", f"good: {{file: {self.place}/made-outside}}\n")
        waiting = self.write("work/waiting.so", prefix.GIVEN["GOOD_PLUGIN"].with_name("waiting.so").read_bytes())
        check = subprocess.Popen(
            [self.place / "prefix/bin/drydock", "plugin", "check", waiting, "--with", given],
            cwd=self.place / "work", env=self.environment, stdout=subprocess.DEVNULL)
        while not (self.place / "made-outside").exists():
            self.assertIsNone(check.poll())
        check.kill()
        check.wait()
        self.assertNotEqual(os.listdir(self.place / "runtime"), [])
        self.drydock("plugin", "check", "nothing.so")
        self.assertEqual(os.listdir(self.place / "runtime"), [])

    def test_what_others_can_change_is_not_loaded(self):
        self.file.chmod(0o666)
        self.refuses(f"{self.file} is writable by everybody", "plugin", "check", self.file)
        self.file.chmod(0o644)
        (self.place / "work").chmod(0o777)
        self.refuses(f"{self.place}/work is writable by everybody", "plugin", "check", self.file)


if __name__ == "__main__":
    prefix.main()
