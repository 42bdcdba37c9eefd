#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls on the offline graph: no key, no network, real speech both ways."""

import datetime
import os
import pathlib
import struct
import wave

from stack import TOKEN, Stack, check, get, run_tests

# Of the espeak-ng voices, one that the offline recogniser takes well.
VOICE = "en-us+f2"
ANSWERS = ["book a room", "Mountain View", "today", "two thirty p m",
           "half an hour", "two people", "yes"]
RECORDINGS = ["book_a_room.wav", "mountain_view.wav", "today.wav", "230pm.wav",
              "half_an_hour.wav", "two_people.wav"]


def levels(path):
    """Of each side of a stereo recording: peak and RMS of its loud frames."""
    with wave.open(str(path)) as file:
        check(file.getnchannels() == 2 and file.getframerate() == 8000 and
              file.getsampwidth() == 2, f"{path}: not 8 kHz 16-bit stereo")
        count = file.getnframes()
        samples = struct.unpack(f"<{2 * count}h", file.readframes(count))
    sides = []
    for side in (samples[0::2], samples[1::2]):
        frames = [side[i:i + 160] for i in range(0, len(side) - 159, 160)]
        power = [(sum(s * s for s in f) / 160) ** 0.5 for f in frames]
        loud = [p for p in power if p > 300]
        sides.append({
            "peak": max(map(abs, side)), "speech_s": len(loud) * 0.02,
            "rms": sum(loud) / max(1, len(loud)),
            "last_loud_s": max((i for i, p in enumerate(power) if p > 300),
                               default=0) * 0.02,
            "seconds": len(side) / 8000})
    return sides


def fields_are_right(record):
    check(record["end_reason"] == "goal" and record["goal_reached"],
          f"ended by {record['end_reason']} with {record['fields']}; heard "
          + "; ".join(t["caller"] for t in record["turns"]))
    expected = {"request": "book", "location": "Mountain View",
                "time": "14:30", "duration": "30", "people": 2}
    got = {k: record["fields"].get(k) for k in expected}
    check(got == expected, f"fields {record['fields']}")
    check(record["fields"]["date"] in (
        str(datetime.date.today()),
        str(datetime.date.today() - datetime.timedelta(days=1))),
        record["fields"]["date"])
    last = record["turns"][-1]
    check(last["heard"] == last["said"], f"of the goodbye {last['said']!r} "
          f"only {last['heard']!r} was heard")


def sound_is_right(path):
    caller, agent = levels(path)
    for name, side in (("caller", caller), ("agent", agent)):
        check(side["peak"] < 32500, f"{name} clips: {side}")
        check(side["rms"] > 800, f"{name} is faint: {side}")
        check(side["speech_s"] > 3, f"{name} hardly speaks: {side}")
    check(agent["last_loud_s"] > caller["last_loud_s"],
          "the goodbye is not the last that was heard")


def a_room_is_booked_by_a_synthetic_voice():
    with Stack() as stack:
        stack.start_server()
        wav = stack.folder / "call.wav"
        says = [a for text in ANSWERS for a in ("--say", text)]
        code, summary = stack.call("--voice", VOICE, *says, "--record", wav)
        record = stack.ended_record()
        fields_are_right(record)
        check(code == 0, f"the phone ended with {code}: {summary}")
        sound_is_right(wav)


def a_room_is_booked_by_recorded_people():
    folder = os.environ.get("PATCHCORD_TEST_AUDIO", "")
    files = [pathlib.Path(folder) / name for name in RECORDINGS]
    if not folder or not all(f.exists() for f in files):
        return "PATCHCORD_TEST_AUDIO names no folder with the recordings"
    with Stack() as stack:
        stack.start_server()
        wav = stack.folder / "call.wav"
        lines = [a for f in files for a in ("--wav", f)]
        stack.call(*lines, "--voice", VOICE, "--say", "yes", "--record", wav)
        fields_are_right(stack.ended_record())
        sound_is_right(wav)
    return None


def unsigned_and_wrongly_signed_webhooks_are_refused():
    with Stack() as stack:
        stack.start_server()
        code, summary = stack.call("--bad-signature", "--say", "hello")
        check(code != 0, f"a wrong signature was taken: {summary}")
        check("403" in str(summary) + stack.server.output(), str(summary))
        import urllib.error
        import urllib.request
        request = urllib.request.Request(stack.voice_url(), data=b"CallSid=CA1")
        try:
            urllib.request.urlopen(request)
            check(False, "an unsigned webhook was taken")
        except urllib.error.HTTPError as error:
            check(error.code == 403, f"unsigned: {error.code}")
        check("CA1" in stack.server.output() and
              stack.voice_url() in stack.server.output(),
              "the log names neither the call nor the URL")
        check(not stack.calls(), "there is a record")
        check(TOKEN not in stack.server.output(), "the log holds the token")


def a_token_opens_one_stream():
    with Stack() as stack:
        stack.start_server()
        code, summary = stack.call("--reuse-token", "--say", "hello",
                                   "--hang-up-after", "500")
        check(code == 0, f"the phone ended with {code}: {summary}")
        check("refused: a media stream with an unknown, used or expired token"
              in stack.server.output(), stack.server.output())


def silence_is_asked_about_and_then_ended():
    with Stack() as stack:
        agent = stack.file("quick.toml", """
name = "quick"
greeting = "Hello. A or B?"
greeting_asks = "what"
instructions = "Ask."
[[fields]]
name = "what"
type = "choice"
question = "A or B?"
reprompt = "A or B?"
choices = [ { value = "a", spoken = ["alpha"] },
            { value = "b", spoken = ["bravo"] } ]
[limits]
silence_prompt_s = 1
max_silence_prompts = 1
""")
        stack.start_server(agent=str(agent))
        code, summary = stack.call(timeout=60)
        record = stack.ended_record()
        check(record["end_reason"] == "no_answer", record["end_reason"])
        check(not record["goal_reached"], "goal without an answer")
        check(code == 0, f"the phone ended with {code}: {summary}")


def the_api_is_for_the_operator():
    with Stack() as stack:
        stack.start_server()
        check(get(stack.url + "/api/calls")[0] == 200, "refused at home")
        status, body = get(stack.url + "/api/calls",
                           {"X-Forwarded-For": "203.0.113.5"})
        check(status == 403, f"forwarded: {status} {body}")
        check(get(stack.url + "/nothing")[0] == 404, "not 404")


if __name__ == "__main__":
    run_tests([
        a_room_is_booked_by_a_synthetic_voice,
        a_room_is_booked_by_recorded_people,
        unsigned_and_wrongly_signed_webhooks_are_refused,
        a_token_opens_one_stream,
        silence_is_asked_about_and_then_ended,
        the_api_is_for_the_operator,
    ])
