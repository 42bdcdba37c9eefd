#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the program says when asked, and when asked wrongly."""

import os
import pathlib
import subprocess

from stack import Stack, check, run_tests

BUILD = pathlib.Path(os.environ["PATCHCORD_BUILD_ROOT"])


def run(*args, env=None, timeout=60):
    clean = {k: v for k, v in os.environ.items()
             if not k.startswith(("TWILIO_", "OPENAI_", "ELEVENLABS_"))}
    done = subprocess.run([BUILD / "src/cli/patchcord", *map(str, args)],
                          capture_output=True, text=True, timeout=timeout,
                          env={**clean, **(env or {})})
    return done.returncode, done.stdout, done.stderr


def help_and_version_are_there():
    for args in (["--help"], ["help"], ["serve", "--help"], ["help", "call"],
                 ["check", "--help"], ["call", "--help"]):
        code, out, _ = run(*args)
        check(code == 0 and "patchcord" in out and "xample" in out,
              f"{args}: exit {code}, {out[:200]!r}")
    code, out, _ = run("--version")
    check(code == 0 and out.startswith("patchcord "), f"{code} {out!r}")


def a_misspelt_word_is_named_with_what_was_meant():
    for args, named, meant in ((["srve"], "srve", "serve"),
                               (["call", "--recrod", "x"], "recrod", "record"),
                               (["serve", "--confg", "x"], "confg", "config")):
        code, _, err = run(*args)
        check(code == 2 and named in err and meant in err,
              f"{args}: exit {code}, {err!r}")


def a_bad_configuration_is_refused_naming_file_line_and_key():
    with Stack() as stack:
        for text, words in (
                ("[server]\nlisten = 5\n", ["2", "server.listen"]),
                ("[server]\n\nlistne = 'x'\n", ["3", "listne", "listen"]),
                ("[call]\nmax_duration_s = 'soon'\n", ["2", "max_duration_s"]),
                ("[call\n", ["1"]),
        ):
            path = stack.file("bad.toml", text)
            code, _, err = run("serve", "--config", path)
            check(code != 0, f"{text!r} was taken")
            for word in [str(path), *words]:
                check(word in err, f"{text!r}: {word!r} is not in {err!r}")
        code, _, err = run("serve", "--config", stack.folder / "none.toml")
        check(code != 0 and "none.toml" in err, f"missing file: {err!r}")
        code, _, err = run("serve", env={"PATCHCORD_SERVER_WORKERS": "many"})
        check(code != 0 and "PATCHCORD_SERVER_WORKERS" in err, err)


def a_bad_agent_is_refused_naming_file_and_line():
    with Stack() as stack:
        agent = stack.file("bad-agent.toml", 'name = "x"\ngreeting = 5\n')
        config = stack.file("c.toml", f'[call]\nagent = "{agent}"\n')
        for command in ("serve", "check"):
            code, out, err = run(command, "--config", config,
                                 env={"TWILIO_AUTH_TOKEN": "t" * 32})
            said = out + err
            check(code != 0 and "bad-agent.toml:2" in said and
                  "greeting" in said, f"{command}: exit {code}, {said!r}")


def a_queue_on_the_way_to_the_caller_is_refused():
    with Stack() as stack:
        graph = stack.file("queue.launch", "twiliosrc ! mulawdec ! "
                           "audioresample ! sphinxstt ! queue ! agent ! "
                           "espeaksrc ! audioresample ! mulawenc ! twiliosink")
        config = stack.file("queue.toml", f'[call]\npipeline = "{graph}"\n')
        program = stack.start("check", [stack.build / "src/cli/patchcord",
                                        "check", "--config", config])
        check(program.wait(20) != 0, "the check passed")
        check("queue stands on the way to twiliosink" in program.output(),
              program.output())


def check_says_what_is_missing():
    code, out, err = run("check")
    check(code == 1 and "TWILIO_AUTH_TOKEN" in out + err,
          f"exit {code}: {out}{err}")


def check_asks_the_providers():
    with Stack() as stack:
        stack.start_fakes({"transcripts": [], "answers": []})
        base = {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
                "TWILIO_AUTH_TOKEN": "0" * 32,
                "OPENAI_BASE_URL": stack.fakes_url + "/v1",
                "PATCHCORD_ELEVENLABS_BASE_URL": stack.fakes_url,
                "PATCHCORD_OPENAI_STT_MODEL": "gpt-4o-transcribe",
                "PATCHCORD_CALL_PIPELINE": "cloud",
                "PATCHCORD_SERVER_PUBLIC_URL": "https://voice.example.com",
                "PATCHCORD_STORE_RECORDS": f"sqlite:{stack.folder}/c.db"}
        code, out, err = run("check", env={**base, "OPENAI_API_KEY": "sk-good",
                                           "ELEVENLABS_API_KEY": "el-good"})
        check(code == 0, f"good keys: exit {code}: {out}{err}")
        code, out, err = run("check", env={**base, "OPENAI_API_KEY": "bad",
                                           "ELEVENLABS_API_KEY": "bad"})
        said = out + err
        check(code == 1 and "OPENAI_API_KEY" in said and
              "ELEVENLABS_API_KEY" in said, f"bad keys: exit {code}: {said}")
        check("sk-good" not in said, "a key was printed")


if __name__ == "__main__":
    run_tests([
        help_and_version_are_there,
        a_misspelt_word_is_named_with_what_was_meant,
        a_bad_configuration_is_refused_naming_file_line_and_key,
        a_bad_agent_is_refused_naming_file_and_line,
        a_queue_on_the_way_to_the_caller_is_refused,
        check_says_what_is_missing,
        check_asks_the_providers,
    ])
