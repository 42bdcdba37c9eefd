#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each element documents itself: gst-inspect-1.0 shows a line for gst-launch-1.0,
and that line does what it says."""

import os
import re
import signal
import socket
import subprocess
import wave

from stack import Stack, check, free_port, json_in, poll, run_tests

SOURCES = {
    "twiliosrc": "twilio/gsttwiliosrc.cpp",
    "twiliosink": "twilio/gsttwiliosink.cpp",
    "voiceactivity": "audio/gstvoiceactivity.cpp",
    "realtimestt": "openai/gstrealtimestt.cpp",
    "sphinxstt": "sphinx/gstsphinxstt.cpp",
    "agent": "agent/gstagent.cpp",
    "elevenlabssrc": "elevenlabs/gstelevenlabssrc.cpp",
    "espeaksrc": "espeak/gstespeaksrc.cpp",
}


def inspect(element):
    done = subprocess.run(["gst-inspect-1.0", element], capture_output=True,
                          text=True, timeout=60)
    check(done.returncode == 0, f"{element}: {done.stdout}{done.stderr}")
    return done.stdout


def example(element):
    found = re.search(r"^ +Example +(.*)$", inspect(element), re.MULTILINE)
    check(found, f"{element}: gst-inspect-1.0 shows no example")
    return found[1].strip()


def launch(stack, line, env=None, name="launch"):
    """The line as it stands, in the stack's folder."""
    return stack.start(name, ["sh", "-c", f"cd '{stack.folder}' && {line}"],
                       env)


def run(stack, line, env=None):
    program = launch(stack, line, env)
    code = program.wait(60)
    check(code == 0, f"exit {code}: {line}\n{program.output()}")
    return program.output()


def seconds(path):
    with wave.open(str(path)) as sound:
        return sound.getnframes() / sound.getframerate()


def speak(stack, text, name):
    run(stack, f"gst-launch-1.0 espeaksrc text='{text}' voice=en-us+f2 ! "
               "audioconvert ! audioresample ! audio/x-raw,rate=8000 ! "
               f"wavenc ! filesink location={name}")


def all_have_one_that_is_also_in_the_source():
    with Stack() as stack:
        for element, source in SOURCES.items():
            text = (stack.source / "plugins" / source).read_text()
            found = re.search(r"## Example\n \* \|\[\n(.*?)\n \* \]\|", text,
                              re.DOTALL)
            check(found, f"{source}: no example in its documentation")
            words = " ".join(re.sub(r"^ \* ", "", line)
                             for line in found[1].splitlines())
            check(words == example(element),
                  f"{element}: {words!r} is not {example(element)!r}")


def no_key_is_shown():
    """Neither a property's value nor a default from the environment."""
    secret = "sk-do-not-show-me"
    for element in SOURCES:
        done = subprocess.run(
            ["gst-inspect-1.0", element], capture_output=True, text=True,
            timeout=60, env={**os.environ, "OPENAI_API_KEY": secret,
                             "ELEVENLABS_API_KEY": secret,
                             "TWILIO_AUTH_TOKEN": secret})
        check(secret not in done.stdout + done.stderr,
              f"{element} shows a secret")


def espeaksrc_speaks():
    with Stack() as stack:
        run(stack, example("espeaksrc"))
        check(seconds(stack.folder / "hello.wav") > 0.3, "hello.wav is short")


def elevenlabssrc_speaks():
    with Stack() as stack:
        url = stack.start_fakes({})
        line = example("elevenlabssrc")
        run(stack, line.replace("text=", f"base-url={url} text=", 1))
        check(seconds(stack.folder / "hello.wav") > 0.3, "hello.wav is short")
        check(stack.fake_stats()["counters"].get("tts", 0) == 1,
              "the provider was not asked")


def voiceactivity_tells_of_beeps():
    with Stack() as stack:
        said = run(stack, example("voiceactivity"))
        for event in ("speech-started", "speech-stopped"):
            check(said.count("patchcord-" + event) == 2,
                  f"not two {event} in {said}")


def sphinxstt_understands():
    with Stack() as stack:
        speak(stack, "yes", "answer.wav")
        said = run(stack, example("sphinxstt"))
        check(re.search(r'patchcord-transcript.*text=\(string\)"?yes', said),
              said)


def realtimestt_understands():
    with Stack() as stack:
        url = stack.start_fakes({"transcripts": [{"text": "What time is it?"}]})
        speak(stack, "What time is it?", "question.wav")
        said = run(stack, example("realtimestt"),
                   {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": url + "/v1"})
        check("What time is it?" in said, said)


def agent_holds_a_conversation():
    with Stack() as stack:
        said = run(stack, example("agent"))
        check("Sunnyvale" in said and "Goodbye" in said, said)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def with_caller(stack, element, *lines):
    """The program of the line, when a caller has been and gone."""
    port = free_port()
    line = re.sub(r" port=\d+", "", example(element))
    program = launch(stack, line.replace("twiliosrc", f"twiliosrc port={port}"))
    poll(lambda: listens(port), "the line to listen", 30)
    phone = stack.start("phone", [
        stack.build / "src/cli/patchcord", "call",
        f"http://127.0.0.1:{port}/voice", "--no-live", "--record",
        stack.folder / "call.wav", *lines])
    code = phone.wait(60)
    check(code == 0, f"the phone: exit {code}\n{phone.output()}")
    check(program.wait(30) == 0, "the line failed: " + program.output())
    said = program.output()
    check(f"the voice webhook is at http://127.0.0.1:{port}/voice" in said,
          said)
    return said


def twiliosrc_records_a_caller():
    with Stack() as stack:
        said = with_caller(stack, "twiliosrc", "--wait", "500", "--say",
                           "hello there", "--hang-up-after", "500")
        check("patchcord-call-started" in said, said)
        check(seconds(stack.folder / "caller.wav") > 1, "caller.wav is short")


TEA = """
name = "Tea round"
greeting = "Hello."
instructions = "Take orders."
[[fields]]
name = "drink"
type = "choice"
question = "Tea or coffee?"
choices = [{ value = "tea" }, { value = "coffee" }]
[end]
confirm = false
goodbye = "Goodbye."
"""


def a_conversation_that_reached_its_goal_ends_in_order():
    """gst-launch-1.0 stops the pipeline at EOS: by then all was heard."""
    with Stack() as stack:
        port = free_port()
        agent = stack.file("tea.toml", TEA)
        program = launch(
            stack, f"exec gst-launch-1.0 -m twiliosrc port={port} ! "
            f"audioresample ! sphinxstt ! agent definition={agent} ! "
            "espeaksrc ! audioresample ! mulawenc ! twiliosink")
        poll(lambda: listens(port), "the line to listen", 30)
        phone = stack.start("phone", [
            stack.build / "src/cli/patchcord", "call",
            f"http://127.0.0.1:{port}/voice", "--no-live", "--json",
            "--say", "coffee"])
        code = phone.wait(60)
        call = json_in(phone.output())
        check(code == 0 and call["in_order"] and not call["warnings"] and
              call["end"] == "agent_closed" and call["unheard_ms"] == 0, call)
        check(program.wait(30) == 0 and
              "patchcord-conversation-ended" in program.output(),
              program.output())


def a_conversation_ends_in_order_when_it_is_interrupted():
    """gst-launch-1.0 -e: what was said is heard to its end, and no more."""
    with Stack() as stack:
        port = free_port()
        program = launch(
            stack, f"exec gst-launch-1.0 -e -m twiliosrc port={port} ! mulawdec ! "
            "audioresample ! sphinxstt ! agent definition=room-booking ! "
            "espeaksrc ! audioresample ! mulawenc ! twiliosink")
        poll(lambda: listens(port), "the line to listen", 30)
        phone = stack.start("phone", [
            stack.build / "src/cli/patchcord", "call",
            f"http://127.0.0.1:{port}/voice", "--no-live", "--json",
            "--after", "60", "--hang-up"])
        poll(lambda: "patchcord-decision" in program.output(), "the greeting")
        program.process.send_signal(signal.SIGINT)
        code = program.wait(30)
        said = program.output()
        check(code == 0 and "EOS received" in said, f"exit {code}")
        for told in ("patchcord-decision", "state=(string)complete",
                     "patchcord-conversation-ended"):
            check(said.count(told) == 1, f"not one {told}: {said}")
        phone.wait(30)
        call = json_in(phone.output())
        check(call["end"] == "agent_closed" and call["unheard_ms"] == 0 and
              call["agent_speech_ms"] > 2000 and call["in_order"] and
              not call["warnings"], call)


def twiliosink_speaks_to_a_caller():
    with Stack() as stack:
        with_caller(stack, "twiliosink", "--hang-up-after", "3000")
        with wave.open(str(stack.folder / "call.wav")) as sound:
            frames = sound.readframes(sound.getnframes())
        heard = memoryview(frames).cast("h")[1::2]
        check(max(heard) > 8000, f"the loudest of it is {max(heard)}")


def a_key_does_not_go_to_another_machine_in_the_clear():
    silence = "fakesrc num-buffers=1 ! text/x-raw,format=utf8"
    lines = {
        "realtimestt": "audiotestsrc is-live=true ! audio/x-raw,rate=24000,"
                       "channels=1 ! realtimestt {} ! fakesink",
        "agent": f"{silence} ! agent mind=openai definition=intake {{}} ! "
                 "fakesink",
        "elevenlabssrc": "elevenlabssrc text=hello {} ! fakesink"}
    refusal = "base-url: expected a URL with TLS, or one of this machine"
    for element, line in lines.items():
        for settings, refused in (
                ("api-key=sk-secret base-url=http://h.invalid/v1", True),
                ("api-key=sk-secret base-url=h.invalid:80/v1", True),
                ("api-key=sk-secret base-url=http:/h.invalid/v1", True),
                ("api-key=sk-secret base-url=http://127.0.0.1:9/v1", False),
                ("api-key=sk-secret base-url=https://h.invalid/v1", False),
                ("base-url=http://h.invalid/v1", False),
                ("api-key=sk-secret base-url=http://h.invalid/v1 "
                 "plain-http=true", False)):
            with Stack() as stack:
                program = launch(stack, "exec gst-launch-1.0 " +
                                 line.format(settings))
                poll(lambda: refusal in program.output() or
                     "PREROLL" in program.output() or
                     program.process.poll() is not None, f"{element} starts")
                program.kill()
                said = program.output()
                check((refusal in said) == refused and
                      ("PREROLL" in said) != refused and
                      "sk-secret" not in said,
                      f"{element} {settings}: {said}")


if __name__ == "__main__":
    run_tests([
        all_have_one_that_is_also_in_the_source,
        no_key_is_shown,
        espeaksrc_speaks,
        elevenlabssrc_speaks,
        voiceactivity_tells_of_beeps,
        sphinxstt_understands,
        realtimestt_understands,
        agent_holds_a_conversation,
        twiliosrc_records_a_caller,
        twiliosink_speaks_to_a_caller,
        a_conversation_that_reached_its_goal_ends_in_order,
        a_conversation_ends_in_order_when_it_is_interrupted,
        a_key_does_not_go_to_another_machine_in_the_clear,
    ], jobs=2)
