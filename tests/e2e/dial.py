#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls that `patchcord dial` places: the real program, Twilio's REST API as a
fake, and the simulated phone that it rings with."""

import base64
import hashlib
import hmac
import signal
import threading
import urllib.parse
import urllib.request

from rest import Rest
from stack import ACCOUNT, TOKEN, Stack, check, poll, run_tests

AGENT = """
name = "Tea round"
greeting = "Hello, this is the tea round."
instructions = "Take orders."
[[fields]]
name = "drink"
type = "choice"
question = "Tea or coffee?"
choices = [{ value = "tea" }, { value = "coffee" }]
[end]
confirm = false
goodbye = "Thank you. Goodbye."
"""
VOICEMAIL = '[voicemail]\nmessage = "Please call the tea round back."\n'
NUMBER = "+14155550177"


def serve(stack, phone=(), refuse=None):
    rest = Rest(stack, phone, refuse)
    folder = stack.folder / "agents"
    folder.mkdir()
    (folder / "tea.toml").write_text(AGENT + VOICEMAIL)
    (folder / "mute.toml").write_text(AGENT)
    stack.env["PATCHCORD_DATA_DIR"] = str(stack.folder)
    stack.start_server(agent="mute", twilio='from = "+14155550199"')
    return rest


def signed_post(url, fields):
    """The HTTP status; signed as Twilio signs a form (X-Twilio-Signature)."""
    text = url + "".join(k + fields[k] for k in sorted(fields))
    signature = base64.b64encode(
        hmac.new(TOKEN.encode(), text.encode(), hashlib.sha1).digest())
    request = urllib.request.Request(
        url, urllib.parse.urlencode(fields).encode(),
        {"X-Twilio-Signature": signature.decode()})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status


def dial_args(stack, *args, number=NUMBER):
    return [stack.build / "src/cli/patchcord", "dial",
            *([number] if number else []),
            "--config", stack.folder / "serve.toml", *args]


def dial(stack, *args, env=None, number=NUMBER):
    process = stack.start("dial", dial_args(stack, *args, number=number), env)
    code = process.wait(90)
    return code, process.output()


def a_machine_hears_the_message_once():
    with Stack() as stack:
        rest = serve(stack, ["--answered-by", "machine_end_beep@3s"])
        code, said = dial(stack, "--agent", "tea", "--wait")
        check(code == 0 and "voicemail, answered by machine_end_beep" in said,
              f"exit {code}: {said}")
        code, call = rest.summary()
        check(code == 0 and call["in_order"] and not call["warnings"], call)
        record = stack.ended_record()
        check(record["end_reason"] == "voicemail" and
              record["answered_by"] == "machine_end_beep" and
              record["agent"] == "tea" and record["to"] == NUMBER and
              record["direction"] == "outbound-api", record)
        heard = [turn["heard"] for turn in record["turns"]]
        check(heard.count("Please call the tea round back.") == 1 and
              heard[-1] == "Please call the tea round back.", heard)
        # What was asked of Twilio.
        fields = rest.requests[0][1]
        form = dict(fields)
        check(form["To"] == NUMBER and form["From"] == "+14155550199" and
              form["MachineDetection"] == "DetectMessageEnd" and
              form["AsyncAmd"] == "true", form)
        query = urllib.parse.urlparse(form["Url"]).query
        check(set(urllib.parse.parse_qs(query)) == {"ticket"}, query)
        check("ticket=" not in stack.server.output(), "a ticket in the log")


def a_human_being_talks_to_the_agent():
    with Stack() as stack:
        rest = serve(stack, ["--answered-by", "human@2s", "--say", "tea"])
        code, said = dial(stack, "--agent", "tea", "--wait")
        check(code == 0 and "completed: goal, answered by human" in said,
              f"exit {code}: {said}")
        for word in ("queued", "in-progress"):
            check(word in said, f"no {word} in {said}")
        code, call = rest.summary()
        check(code == 0 and call["in_order"], call)
        record = stack.ended_record()
        check(record["fields"] == {"drink": "tea"} and
              record["answered_by"] == "human", record)


def without_a_message_a_machine_is_hung_up_on():
    with Stack() as stack:
        rest = serve(stack, ["--answered-by", "machine_end_silence@2s"])
        code, said = dial(stack, "--wait")  # the server's own agent
        check(code == 0 and "machine, answered by machine_end_silence" in said
              and "no voicemail message" in said, f"exit {code}: {said}")
        code, call = rest.summary()
        check(code == 0, call)
        record = stack.ended_record()
        check(record["end_reason"] == "machine" and record["agent"] == "mute",
              record)


def nobody_answers():
    with Stack() as stack:
        rest = serve(stack, ["--unanswered", "no-answer"])
        code, said = dial(stack, "--agent", "tea", "--wait")
        check(code == 1 and said.endswith(" no-answer\n"),
              f"exit {code}: {said}")
        record = stack.ended_record()
        check(record["end_reason"] == record["status"] == "no-answer" and
              record["agent"] == "tea"
              and record["answered_ms"] == 0 and record["to"] == NUMBER and
              not record["turns"], record)
        check(rest.summary()[0] == 0, "the phone is not content")


def ctrl_c_ends_the_waiting_and_not_the_call():
    with Stack() as stack:
        serve(stack, ["--answered-by", "human@1s", "--max-duration", "60"])
        process = stack.start("dial", dial_args(stack, "--agent", "tea",
                                                "--wait"))
        poll(lambda: "in-progress" in process.output(), "an answer")
        process.process.send_signal(signal.SIGINT)
        code = process.wait(5)
        said = process.output()
        sid = said.split(":")[0]
        check(code == 1 and f"goes on without being followed: {sid}, "
              "in-progress" in said, f"exit {code}: {said}")
        check(stack.record(sid)["ended_ms"] == 0, "the call has ended")


def a_server_that_is_gone_ends_the_waiting():
    with Stack() as stack:
        serve(stack, ["--answered-by", "human@1s", "--max-duration", "60"])
        process = stack.start("dial", dial_args(stack, "--agent", "tea",
                                                "--wait"))
        poll(lambda: "in-progress" in process.output(), "an answer")
        stack.server.process.kill()
        code = process.wait(20)
        check(code == 1 and "API cannot be reached" in process.output(),
              f"exit {code}: {process.output()}")


def ctrl_c_does_not_wait_for_twilio():
    with Stack() as stack:
        rest = serve(stack)
        answers = threading.Event()
        stack.exit.callback(answers.set)
        create = rest.create
        rest.create = lambda *args: (answers.wait(60), create(*args))[1]
        process = stack.start("dial", dial_args(stack, "--agent", "tea"))
        poll(lambda: rest.requests, "the request")
        process.process.send_signal(signal.SIGINT)
        code = process.wait(5)
        check(code == 1 and "may place the call all the same" in
              process.output(), f"exit {code}: {process.output()}")


def what_twilio_refuses_is_explained():
    with Stack() as stack:
        rest = serve(stack, refuse=(400, 21219, "The number is unverified"))
        code, said = dial(stack, "--agent", "tea")
        check(code == 1 and "trial account" in said and "21219" in said,
              f"exit {code}: {said}")
        check(len(rest.requests) == 1, "asked again")
        code, said = dial(stack, "--agent", "tea",
                          env={"TWILIO_AUTH_TOKEN": "another"})
        check(code == 1 and "20003" in said and "twilio.auth_token" in said,
              f"exit {code}: {said}")
        # Too many requests are made again.
        rest.refuse = (429, 20429, "Too many requests")
        before = len(rest.requests)
        code, said = dial(stack, "--agent", "tea")
        check(code == 1 and len(rest.requests) - before == 4,
              f"exit {code}, {len(rest.requests) - before} requests: {said}")


def who_hangs_up_before_the_stream_ends_the_record():
    with Stack() as stack:
        serve(stack)
        sid = "CA" + "7" * 32

        def webhook(name, **fields):
            return signed_post(stack.url + "/twilio/webhooks/" + name, {
                "CallSid": sid, "AccountSid": ACCOUNT, "From": "+14155550199",
                "To": NUMBER, "Direction": "outbound-api", **fields})
        check(webhook("voice") == 200, "the call is not taken")
        check(stack.record(sid)["status"] == "ringing", stack.record(sid))
        check(webhook("call-status", CallStatus="completed") == 204, "status")
        record = stack.ended_record(sid)
        check(record["end_reason"] == "caller_hung_up" and
              record["answered_ms"] == 0, record)


def mistakes_are_told_before_a_phone_rings():
    with Stack() as stack:
        rest = serve(stack)
        for args, code, words in (
                (["--agent", "tee"], 1, "did you mean"),
                (["--agent", "/etc/tea.toml"], 2, "not a path"),
                (["--ring-timeout", "3"], 2, "5 to 600"),
                (["--from", "me"], 2, "+14155550100"),
                (["+14155550178"], 2, "one number is enough"),
                (["--help"], 0, "examples:")):
            got, said = dial(stack, *args)
            check(got == code and words in said, f"{args}: exit {got}: {said}")
        got, said = dial(stack, number="4155550100")
        check(got == 2 and "+14155550100" in said, f"exit {got}: {said}")
        got, said = dial(stack, number=None)
        check(got == 2, f"exit {got}: {said}")
        check(rest.requests == [], rest.requests)


if __name__ == "__main__":
    run_tests([
        a_machine_hears_the_message_once,
        a_human_being_talks_to_the_agent,
        without_a_message_a_machine_is_hung_up_on,
        nobody_answers,
        who_hangs_up_before_the_stream_ends_the_record,
        ctrl_c_ends_the_waiting_and_not_the_call,
        a_server_that_is_gone_ends_the_waiting,
        ctrl_c_does_not_wait_for_twilio,
        what_twilio_refuses_is_explained,
        mistakes_are_told_before_a_phone_rings,
    ])
