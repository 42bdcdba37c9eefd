#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`call.recordings` and `patchcord replay`: a call of the real daemon is kept,
and played again."""

import json
import stat
import subprocess
import wave

from cloud import AGENT, SCRIPT, TALK
from stack import Stack, check, poll, run_tests

VOICE = "en-us+f2"
ANSWERS = ["book a room", "Mountain View", "today", "two thirty p m",
           "half an hour", "two people", "yes"]


def replay(stack, *args):
    done = subprocess.run([stack.build / "src/cli/patchcord", "replay",
                           *map(str, args)],
                          env=stack.env, capture_output=True, text=True,
                          timeout=120)
    return done.returncode, done.stdout, done.stderr


def recorded(stack, recordings):
    """The folder of the one call, when all of it is written."""
    sid = stack.ended_record()["call_sid"]
    folder = recordings / sid
    poll(lambda: (folder / "call.wav").exists() and
         '"call-ended"' in (folder / "events.jsonl").read_text(),
         "the recording", 15)
    return folder


def a_call_is_kept_and_decided_again():
    with Stack() as stack:
        recordings = stack.folder / "recordings"
        stack.start_server(
            env={"PATCHCORD_CALL_RECORDINGS": str(recordings)})
        says = [a for text in ANSWERS for a in ("--say", text)]
        stack.call("--voice", VOICE, *says)
        folder = recorded(stack, recordings)
        names = sorted(p.name for p in folder.iterdir())
        check(names == ["agent.toml", "agent.wav", "call.wav", "caller.wav",
                        "events.jsonl"], str(names))
        for path in folder.iterdir():
            mode = stat.S_IMODE(path.stat().st_mode)
            check(mode == 0o600, f"{path.name} has mode {mode:o}")
        lines = [json.loads(line) for line in
                 (folder / "events.jsonl").read_text().splitlines()]
        check(lines[0]["recording"] == 1, str(lines[0]))
        kinds = {line["what"] for line in lines[1:]}
        for kind in ("stream-start", "media", "mark-back", "sent", "words",
                     "say", "voice", "told", "speech-started"):
            check(kind in kinds, f"no {kind} in {kinds}")
        with wave.open(str(folder / "call.wav")) as file:
            seconds = file.getnframes() / file.getframerate()
            check(file.getnchannels() == 2, "not stereo")
        last = lines[-1]["t"] / 1e6
        check(abs(seconds - last) < 2, f"{seconds} s of sound in {last} s")

        code, out, err = replay(stack, folder.name, "--recordings",
                                recordings, "--verbose")
        check(code == 0, f"exit {code}\n{out}{err}")
        check("the same was decided and heard" in out, out)
        check("Mountain View" in out, out)
        # With another agent it is seen what becomes of it.
        text = (folder / "agent.toml").read_text()
        changed = stack.file("changed.toml", text.replace(
            "For how many people?", "How many are you?"))
        code, out, err = replay(stack, folder, "--agent", changed)
        check(code == 1, f"exit {code}\n{out}{err}")
        check("differs at" in out and "How many are you?" in out, out)


def a_model_is_not_asked_again():
    with Stack() as stack:
        recordings = stack.folder / "recordings"
        stack.start_fakes(SCRIPT)
        agent = stack.file("desk.toml", AGENT)
        stack.start_server(
            pipeline="cloud", agent=str(agent),
            env={"PATCHCORD_CALL_RECORDINGS": str(recordings)})
        stack.call(*TALK)
        folder = recorded(stack, recordings)
        text = (folder / "events.jsonl").read_text()
        check("sk-test" not in text and "el-test" not in text, "a key is kept")
        stack.fakes.stop()
        code, out, err = replay(stack, folder, "--verbose")
        check(code == 0, f"exit {code}\n{out}{err}")
        check("I will tell her. Goodbye." in out, out)


def decides_the_same(stack, recordings, *says, **server):
    """A call that the caller ends is told without a difference."""
    stack.start_server(env={"PATCHCORD_CALL_RECORDINGS": str(recordings)},
                       **server)
    stack.call(*says)
    folder = recorded(stack, recordings)
    check(stack.record()["end_reason"] == "caller_hung_up",
          str(stack.record()))
    code, out, err = replay(stack, folder)
    check(code == 0, f"exit {code}\n{out}{err}")


def a_call_that_the_caller_ends_is_decided_again():
    for says in (["--say", "book a room", "--hang-up-after", "500"],
                 ["--barge-in", "900", "--say", "book a room",
                  "--hang-up-after", "1500"]):
        with Stack() as stack:
            decides_the_same(stack, stack.folder / "recordings",
                             "--voice", VOICE, *says)


def so_is_one_with_a_model_that_he_ends_after_a_barge_in():
    with Stack() as stack:
        stack.start_fakes(SCRIPT)
        agent = stack.file("desk.toml", AGENT)
        decides_the_same(stack, stack.folder / "recordings",
                         "--barge-in", "400", "--say",
                         "Please tell Anna that I am late.",
                         "--hang-up-after", "1500",
                         pipeline="cloud-mulaw", agent=str(agent))


def nothing_is_kept_unless_asked():
    with Stack() as stack:
        stack.start_server()
        stack.call("--say", "hello", "--hang-up-after", "500")
        sid = stack.ended_record()["call_sid"]
        check(not list(stack.folder.rglob(sid)), "there is a recording")


def wrong_usage_is_refused():
    with Stack() as stack:
        for args, words in (([], "which call"),
                            (["a", "b"], "Name one"),
                            (["CA1", "--recordings", stack.folder], "CA1"),
                            ([stack.folder], "events.jsonl"),
                            (["CA1"], "call.recordings")):
            code, _, err = replay(stack, *args)
            check(code == 2 and words in err, f"{args}: exit {code}, {err!r}")
        code, out, _ = replay(stack, "--help")
        check(code == 0 and "examples:" in out, out)
        # A folder that cannot be made is told before any call comes.
        config = stack.file("bad.toml",
                            '[call]\nrecordings = "/nowhere/at/all"\n')
        done = subprocess.run(
            [stack.build / "src/cli/patchcord", "serve", "--config", config,
             "--listen", "127.0.0.1:0"],
            env={**stack.env, "PATCHCORD_STORE_RECORDS": "sqlite::memory:"},
            capture_output=True, text=True, timeout=60)
        check(done.returncode == 1 and "/nowhere/at/all" in
              done.stdout + done.stderr, done.stdout + done.stderr)


if __name__ == "__main__":
    run_tests([
        a_call_is_kept_and_decided_again,
        a_model_is_not_asked_again,
        a_call_that_the_caller_ends_is_decided_again,
        so_is_one_with_a_model_that_he_ends_after_a_barge_in,
        nothing_is_kept_unless_asked,
        wrong_usage_is_refused,
    ])
