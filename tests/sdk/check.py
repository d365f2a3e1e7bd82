#!/usr/bin/env python3
"""`drydock plugin check` as a person uses it: options, an example of a deployment, what it prints."""
import os

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
        self.assertEqual(lines[-1], "17 passed, 0 failed, 0 warned, 0 skipped")
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
        self.assertEqual(self.code, 0)
        self.assertEqual(failing["steps"], ("skip", "Its step run failed (the file cannot be written): give "
                                                    "options that work with --with FILE."))
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
        self.refuses("the plugin file nothing.so does not exist", "plugin", "check", "nothing.so")
        self.refuses("plugin list: --seed is for `plugin check`", "plugin", "list", "--seed", "3")
        self.refuses("plugin check: FILE is missing", "plugin", "check")

    def test_a_seed_makes_the_same_again(self):
        said = self.json("plugin", "check", self.file, "--seed", "77")
        self.assertEqual(said["seed"], 77)
        fuzz = next(check for check in said["checks"] if check["name"] == "fuzz")
        self.assertTrue(fuzz["sentence"].endswith("sets of odd options (--seed 77)."), fuzz)


if __name__ == "__main__":
    prefix.main()
