#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`patchcord test`: the scenarios that are shipped, and the command itself."""

import json
import os
import pathlib
import subprocess
import tempfile
import xml.etree.ElementTree as xml

from stack import check, run_tests

BUILD = pathlib.Path(os.environ["PATCHCORD_BUILD_ROOT"])
SHIPPED = pathlib.Path(os.environ["PATCHCORD_DATA_DIR"]) / "scenarios"


def run(*args):
    done = subprocess.run([BUILD / "src/cli/patchcord", "test",
                           *map(str, args)],
                          capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def all_shipped_scenarios_pass():
    code, out, err = run(SHIPPED)
    check(code == 0, f"exit {code}\n{out}{err}")
    files = list(SHIPPED.rglob("*.toml"))
    check(len(files) >= 13 and out.count("\nok ") + out.startswith("ok ")
          == len(files), f"{len(files)} files, and:\n{out}")


def they_give_the_same_bytes_every_time():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name in ("a", "b"):
            code, _, err = run("--json", folder / f"{name}.json", "--wav-dir",
                               folder / name, SHIPPED)
            check(code == 0, err)
        one, two = ((folder / f"{n}.json").read_bytes() for n in "ab")
        check(one == two, "the timelines differ")
        check(len(json.loads(one)["scenarios"]) >= 13, "scenarios are missing")
        for wav in (folder / "a").glob("*.wav"):
            check(wav.read_bytes() == (folder / "b" / wav.name).read_bytes(),
                  f"{wav.name} differs")
            check(wav.stat().st_size > 100_000, f"{wav.name} is too short")


def one_can_be_chosen_and_listed():
    code, out, _ = run("--list", "--only", "start to end", SHIPPED)
    check(code == 0 and len(out.splitlines()) == 1 and "booking.toml" in out,
          out)
    code, out, _ = run("--only", "booking.toml", "--verbose", SHIPPED)
    check(code == 0 and "caller  Mountain View" in out, out)


def a_failure_is_told_with_the_conversation():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "bad.toml"
        path.write_text('name = "Never"\nagent = "room-booking"\n'
                        '[[caller]]\nhang_up = true\n'
                        '[expect]\nend = "goal"\n')
        junit = pathlib.Path(folder) / "junit.xml"
        code, out, _ = run("--junit", junit, path)
        check(code == 1, f"exit {code}")
        for words in ("FAILED Never", 'expected: "goal"',
                      'got:      "caller_hung_up"', "agent   Hello, room desk"):
            check(words in out, f"{words!r} is not in\n{out}")
        suite = xml.parse(junit).getroot()
        check(suite.get("failures") == "1" and
              "goal" in suite.find("testcase/failure").text,
              junit.read_text())


def wrong_usage_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "bad.toml"
        path.write_text('name = "x"\nagnet = "room-booking"\n')
        for args, words in (([], "which scenarios"),
                            (["--jsno", "x"], "--json"),
                            (["/nowhere.toml"], "/nowhere.toml"),
                            ([folder], "bad.toml:"),
                            (["--only", "no such", SHIPPED], "no such")):
            code, _, err = run(*args)
            check(code == 2 and words in err, f"{args}: exit {code}, {err!r}")
    code, out, _ = run("--help")
    check(code == 0 and "examples:" in out, out)


if __name__ == "__main__":
    run_tests([
        all_shipped_scenarios_pass,
        they_give_the_same_bytes_every_time,
        one_can_be_chosen_and_listed,
        a_failure_is_told_with_the_conversation,
        wrong_usage_is_refused,
    ])
