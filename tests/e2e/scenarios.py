#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`patchcord test`: the scenarios that are shipped, and the command itself."""

import json
import os
import pathlib
import subprocess
import tempfile
import xml.etree.ElementTree as xml

from stack import Stack, check, run_tests

BUILD = pathlib.Path(os.environ["PATCHCORD_BUILD_ROOT"])
SHIPPED = pathlib.Path(os.environ["PATCHCORD_DATA_DIR"]) / "scenarios"


def run(*args):
    done = subprocess.run([BUILD / "src/cli/patchcord", "test",
                           *map(str, args)],
                          capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def shipped():
    return [path for path in SHIPPED.rglob("*")
            if path.suffix in (".toml", ".yaml", ".yml")]


def all_shipped_scenarios_pass():
    code, out, err = run(SHIPPED)
    check(code == 0, f"exit {code}\n{out}{err}")
    files = shipped()
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
        wavs = list((folder / "a").rglob("*.wav"))
        check(len(wavs) == len(shipped()),
              f"only {len(wavs)} recordings")
        for wav in wavs:
            other = folder / "b" / wav.relative_to(folder / "a")
            check(wav.read_bytes() == other.read_bytes(),
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
        # As CI servers read it.
        root = xml.parse(junit).getroot()
        suites = list(root.iter("testsuite"))
        check(root.tag == "testsuites" and len(suites) == 1 and
              suites[0].get("failures") == "1" and
              suites[0].get("errors") == "0" and
              float(suites[0].get("time")) > 0, junit.read_text())
        case = suites[0].find("testcase")
        check(case.get("name") == "Never" and case.get("classname") and
              case.find("failure").get("message") == "end" and
              "goal" in case.find("failure").text, junit.read_text())


def a_live_model_answers():
    def answer(words, action, what):
        return {"answer": {"message": words, "action": action,
                           "extracted": {"what": what}}}
    with Stack() as stack:
        url = stack.start_fakes({
            "answers": [answer("The red one. Anything else?", "ask", "red"),
                        answer("Fine. Goodbye.", "end_call", None)],
            "llm_first_token_ms": 300, "llm_token_ms": 5})
        stack.file("desk.toml", """
name = "desk"
greeting = "Hello. Which one?"
instructions = "Ask."
[[fields]]
name = "what"
type = "string"
question = "Which one?"
""")
        path = stack.file("live.toml", """
name = "A live model"
agent = "./desk.toml"
mind = "openai"
[[caller]]
say = "the red one"
[[caller]]
say = "no, that is all"
[expect]
end = "goal"
fields = { what = "red" }
heard = ["The red one. Anything else?", "Fine. Goodbye."]
""")
        junit = stack.folder / "junit.xml"
        env = {**stack.env, "OPENAI_API_KEY": "sk-test",
               "OPENAI_BASE_URL": url + "/v1"}
        done = subprocess.run(
            [BUILD / "src/cli/patchcord", "test", "--live-model", "--verbose",
             "--junit", junit, path],
            env=env, capture_output=True, text=True, timeout=120)
        check(done.returncode == 0, done.stdout + done.stderr)
        check("The red one. Anything else?" in done.stdout, done.stdout)
        # Its time was real, and nothing else's: two answers of 300 ms.
        took = float(next(xml.parse(junit).getroot().iter("testcase"))
                     .get("time"))
        check(took > 0.6, f"{took} s")
        code, _, err = run(path)
        check(code == 2 and "--live-model" in err + _, f"{code}: {_}{err}")
        # Nobody would answer: OpenAI itself takes no call without a key.
        done = subprocess.run([BUILD / "src/cli/patchcord", "test",
                               "--live-model", path], env=stack.env,
                              capture_output=True, text=True, timeout=120)
        check(done.returncode == 2 and not done.stdout and
              "set OPENAI_API_KEY" in done.stderr,
              f"{done.returncode}: {done.stdout}{done.stderr}")


def a_bad_file_does_not_keep_others_from_being_played():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        good = 'agent = "room-booking"\n[[caller]]\nhang_up = true\n'
        (folder / "a.toml").write_text('name = "Bad"\nagnet = "x"\n')
        (folder / "agent.txt").write_text("name = 3\n")
        (folder / "b.toml").write_text('name = "Bad agent"\n'
                                       'agent = "./agent.txt"\n')
        (folder / "c.toml").write_text('name = "Good"\n' + good)
        (folder / "d.toml").write_text('name = "Failing"\n' + good +
                                       '[expect]\nend = "goal"\n')
        junit = folder / "junit.xml"
        code, out, err = run("--junit", junit, folder)
        check(code == 2, f"exit {code}\n{out}{err}")
        check("a.toml:" in out and "agent.txt" in out and "ok     Good" in out,
              out)
        suite = next(xml.parse(junit).getroot().iter("testsuite"))
        check([suite.get(k) for k in ("tests", "errors", "failures")]
              == ["4", "2", "1"], junit.read_text())
        code, out, _ = run("--list", folder)
        check(code == 2 and "Good" in out, out)
        (folder / "a.toml").unlink()
        code, _, _ = run(folder / "b.toml")
        check(code == 2, f"a bad agent: exit {code}")


def yaml_is_read_as_toml_is():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        good = "agent: room-booking\ncaller: [{hang_up: true}]\n"
        (folder / "a.toml").write_text('name = "In TOML"\n'
                                       'agent = "room-booking"\n'
                                       '[[caller]]\nhang_up = true\n')
        (folder / "a.yaml").write_text("name: In YAML\n" + good)
        (folder / "b.yml").write_text("name: Too late\n" + good +
                                      "expect:\n  end: goal\n")
        (folder / "c.yaml").write_text("name: Bad\nagent: room-booking\n"
                                       "voice:\n  timings: no\n")
        (folder / "d.yaml").write_text("[" * 100_000)
        (folder / "e.txt").write_text("none")
        junit = folder / "junit.xml"
        code, out, err = run("--junit", junit, "--wav-dir", folder / "wav",
                             folder)
        check(code == 2, f"exit {code}\n{out}{err}")
        for words in ("ok     In TOML", "ok     In YAML", "FAILED Too late",
                      'c.yaml:4: voice.timings: expected true or false, '
                      'got "no"', "d.yaml:1: "):
            check(words in out, f"{words!r} is not in\n{out}")
        suite = next(xml.parse(junit).getroot().iter("testsuite"))
        check([suite.get(k) for k in ("tests", "errors", "failures")]
              == ["5", "2", "1"], junit.read_text())
        wavs = sorted(path.name for path in (folder / "wav").iterdir())
        check(wavs == ["a.wav", "a.yaml.wav", "b.yml.wav"], str(wavs))


def wrong_usage_is_refused():
    for args, words in (([], "which scenarios"),
                        (["--jsno", "x"], "--json"),
                        (["/nowhere.toml"], "/nowhere.toml"),
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
        a_live_model_answers,
        a_bad_file_does_not_keep_others_from_being_played,
        yaml_is_read_as_toml_is,
        wrong_usage_is_refused,
    ])
