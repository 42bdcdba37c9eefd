#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls on the cloud graphs, against the fakes of the providers."""

import json
import signal

from stack import Stack, check, get, poll, run_tests

AGENT = """
name = "desk"
greeting = "Hello, desk. What can I do?"
instructions = "You take messages."
[[fields]]
name = "message"
type = "string"
question = "What is the message?"
[[fields]]
name = "urgent"
type = "boolean"
required = false
question = "Is it urgent?"
[end]
confirm = false
goodbye = "Thank you, goodbye."
apology = "I am sorry, I cannot help you right now."
[limits]
silence_prompt_s = 20
"""


def answer(words, action="ask", **extracted):
    return {"answer": {"message": words, "action": action, "extracted": {
        "message": extracted.get("message"),
        "urgent": extracted.get("urgent")}}}


SCRIPT = {
    "transcripts": ["Please tell Anna that I am late.", "Yes, it is."],
    "answers": [
        answer("Of course. Is it urgent?", message="I am late"),
        answer("I will tell her. Goodbye.", "end_call", message="I am late",
               urgent=True),
    ],
    "stt_delay_ms": 50, "llm_first_token_ms": 50, "llm_token_ms": 5,
}
TALK = ["--say", "Please tell Anna that I am late.", "--say", "Yes, it is."]


def stack_with(script=None, **server):
    stack = Stack()
    stack.__enter__()
    try:
        stack.start_fakes({**SCRIPT, **(script or {})})
        agent = stack.file("desk.toml", AGENT)
        stack.start_server(agent=str(agent), **{"pipeline": "cloud", **server})
    except BaseException:
        import sys
        stack.__exit__(*sys.exc_info())
        raise
    return stack


def with_stack(script=None, **server):
    def decorate(test):
        def run():
            stack = stack_with(script, **server)
            try:
                test(stack)
            except BaseException:
                import sys
                stack.__exit__(*sys.exc_info())
                raise
            stack.__exit__(None, None, None)
        run.__name__ = test.__name__
        return run
    return decorate


def goal_is_reached(stack):
    code, summary = stack.call(*TALK)
    check(code == 0, f"the phone ended with {code}: {summary}")
    record = stack.ended_record()
    check(record["end_reason"] == "goal" and record["goal_reached"],
          f"ended by {record['end_reason']}, {record['end_detail']}")
    check(record["status"] == "completed", record["status"])
    check(record["fields"] == {"message": "I am late", "urgent": True},
          f"fields {record['fields']}")
    turns = record["turns"]
    check(len(turns) == 3, f"{len(turns)} turns")
    check(turns[1]["caller"] == SCRIPT["transcripts"][0], turns[1]["caller"])
    for turn in turns:
        check(turn["heard"] == turn["said"],
              f"said {turn['said']!r}, heard {turn['heard']!r}")
    for turn in turns[1:]:
        stages = [turn[s] for s in ("transcript_ms", "decision_ms", "voice_ms",
                                    "sent_ms")]
        check(None not in stages and stages == sorted(stages),
              f"stages {stages}")
    return record


@with_stack()
def a_call_at_24_khz_reaches_its_goal(stack):
    goal_is_reached(stack)


@with_stack(pipeline="cloud-mulaw")
def a_call_in_mulaw_reaches_its_goal(stack):
    goal_is_reached(stack)
    kinds = {c["kind"] for c in stack.fake_stats()["connections"]}
    check({"realtime", "chat"} <= kinds, f"connections {kinds}")


@with_stack(openai_key="bad")
def a_refused_openai_key_is_an_apology_and_an_end(stack):
    code, summary = stack.call("--say", "Hello?", timeout=60)
    record = stack.ended_record()
    check(record["end_reason"] == "provider_failed",
          f"ended by {record['end_reason']}")
    check("openai" in record["end_detail"], record["end_detail"])
    said = " ".join(t["heard"] for t in record["turns"])
    check("I am sorry" in said, f"the caller heard {said!r}")
    check(code == 0, f"the phone ended with {code}: {summary}")


@with_stack(elevenlabs_key="bad")
def a_refused_elevenlabs_key_leaves_the_offline_voice(stack):
    record = goal_is_reached(stack)
    check(all(t["heard"] for t in record["turns"]), "a silent turn")
    check("elevenlabs" in stack.server.output().lower(), "nothing in the log")
    check(record["end_detail"].startswith("elevenlabs: "),
          f"the record says {record['end_detail']!r}")


@with_stack({"realtime_fault": "disconnect", "realtime_fault_after_ms": 600,
             "realtime_fault_times": 1, "shared_transcripts": True})
def a_recogniser_that_drops_the_line_is_called_again(stack):
    goal_is_reached(stack)


@with_stack({"answers": [answer(
    "This is a rather long answer that goes on and on, so that somebody who "
    "is in a hurry has every reason to cut it short before it comes to its "
    "end, which is still some way ahead of us."), SCRIPT["answers"][1]]})
def a_barge_in_leaves_what_was_heard(stack):
    code, summary = stack.call("--say", "Please tell Anna that I am late.",
                               "--barge-in", "1500", "--say",
                               "Yes, it is, thank you very much.")
    check(code == 0, f"the phone ended with {code}: {summary}")
    record = stack.ended_record()
    turn = record["turns"][1]
    check(turn["interrupted"], "the turn was not interrupted")
    check(turn["said"].startswith(turn["heard"]), f"heard {turn['heard']!r}")
    words = len(turn["heard"].split())
    check(2 <= words < len(turn["said"].split()) - 5,
          f"heard {words} words: {turn['heard']!r}")
    check(record["goal_reached"], "the call did not reach its goal")


@with_stack()
def a_caller_who_hangs_up_leaves_a_whole_record(stack):
    before = stack.server.fds()
    code, _ = stack.call("--say", "Please tell Anna that I am late.",
                         "--hang-up-after", "900")
    check(code == 0, f"the phone ended with {code}")
    record = stack.ended_record()
    check(record["end_reason"] == "caller_hung_up", record["end_reason"])
    check(record["turns"][0]["heard"], "nothing of the greeting was heard")
    # What stays: one warm connection to the model, and the HTTP client.
    poll(lambda: stack.server.fds() <= before + 4, "descriptors released")


@with_stack()
def a_lost_line_leaves_a_whole_record(stack):
    stack.call("--drop-without-stop", "1.5", "--say", "Hello there.")
    record = stack.ended_record()
    check(record["end_reason"] in ("stream_lost", "caller_hung_up"),
          record["end_reason"])
    check(record["turns"], "no turn")


@with_stack()
def bad_messages_do_not_end_the_call(stack):
    code, summary = stack.call("--bad-json", "1", *TALK)
    check(code == 0, f"the phone ended with {code}: {summary}")
    check(stack.ended_record()["goal_reached"], "no goal")
    check("bad_json" in stack.server.output(), "nothing in the log")


@with_stack()
def marks_that_never_come_back_do_not_hold_the_call(stack):
    code, summary = stack.call("--mute-marks", *TALK, timeout=90)
    record = stack.ended_record()
    check(record["goal_reached"], f"ended by {record['end_reason']}")
    check(code == 0, f"the phone ended with {code}: {summary}")


@with_stack(twilio='hangup = "rest"')
def hanging_up_by_rest_asks_twilio(stack):
    stack.call(*TALK, timeout=60)
    record = stack.ended_record()
    check(record["goal_reached"], f"ended by {record['end_reason']}")
    asked = [r for r in stack.fake_stats()["requests"]
             if r["path"].startswith("/2010-04-01/")]
    check(len(asked) == 1 and asked[0]["path"].endswith(
        f"/Calls/{record['call_sid']}.json") and
        asked[0]["body"] == "Status=completed", f"Twilio was asked {asked}")


@with_stack(twilio='hangup = "rest"',
            env={"PATCHCORD_TWILIO_API_URL": "http://127.0.0.1:1"})
def hanging_up_by_rest_that_fails_closes_the_stream(stack):
    code, summary = stack.call(*TALK, timeout=60)
    check(code == 0, f"the phone ended with {code}: {summary}")
    check(stack.ended_record()["goal_reached"], "no goal")
    check("hanging up by REST failed" in stack.server.output(),
          stack.server.output())


@with_stack()
def a_killed_server_keeps_all_but_the_turn_in_progress(stack):
    phone = stack.start("phone", stack.call_args(
        "--no-live", "--say", "Please tell Anna that I am late.", "--say",
        "Yes, it is."))
    poll(lambda: stack.calls() and
         any(t["caller"] and t["action"] for t in stack.record()["turns"]),
         "the caller's first turn")
    stack.server.process.send_signal(signal.SIGKILL)
    stack.server.wait(10)
    phone.wait(30)
    stack.start_server(agent=str(stack.folder / "desk.toml"), pipeline="cloud")
    record = stack.record()
    check(len(record["turns"]) >= 2, "turns were lost")
    check(record["turns"][1]["caller"] == SCRIPT["transcripts"][0],
          f"the caller said {record['turns'][1]['caller']!r}")


@with_stack()
def sigterm_lets_the_call_end(stack):
    phone = stack.start("phone", stack.call_args("--no-live", *TALK))
    poll(lambda: stack.calls() and stack.record()["turns"], "the greeting")
    stack.server.process.send_signal(signal.SIGTERM)
    check(phone.wait(60) == 0, "the call did not end in order")
    check(stack.server.wait(20) == 0, "the server did not end cleanly")


@with_stack(max_calls=1)
def a_full_house_says_so(stack):
    phone = stack.start("phone", stack.call_args("--no-live", *TALK))
    poll(lambda: stack.calls() and stack.record()["turns"], "the greeting")
    timeline = stack.folder / "second.json"
    stack.call("--say", "Hello?", "--timeline", timeline, name="second")
    said = [e["text"] for e in json.loads(timeline.read_text())["events"]
            if e["event"] == "say"]
    check(len(said) == 1 and "lines are busy" in said[0],
          f"the second heard {said}")
    status, body = get(stack.url + "/readyz")
    check(status == 200 and json.loads(body)["full"] is True,
          f"a full house is told so: {status} {body}")
    check(all("turns" not in call for call in stack.calls()),
          "the list of calls has turns")
    check(phone.wait(60) == 0, "the first call did not end in order")


@with_stack()
def nothing_of_a_call_is_left(stack):
    stack.call(*TALK)
    stack.ended_record()
    threads, fds = stack.server.threads(), stack.server.fds()
    for _ in range(2):
        code, summary = stack.call("--calls", "30", "--ramp", "1", *TALK)
        check(code == 0, f"the phone ended with {code}: {summary}")
    # A leak would be 60 of something; a few warm connections to the model
    # remain, at most 16 a worker, and the offline voice's thread if it had to
    # stand in for a voice that was late.
    poll(lambda: stack.server.threads() <= threads + 1 and
         stack.server.fds() <= fds + 34, "threads and descriptors back")
    check(get(stack.url + "/healthz")[0] == 200, "not healthy")


if __name__ == "__main__":
    run_tests([
        a_call_at_24_khz_reaches_its_goal,
        a_call_in_mulaw_reaches_its_goal,
        a_refused_openai_key_is_an_apology_and_an_end,
        a_refused_elevenlabs_key_leaves_the_offline_voice,
        a_recogniser_that_drops_the_line_is_called_again,
        a_barge_in_leaves_what_was_heard,
        a_caller_who_hangs_up_leaves_a_whole_record,
        a_lost_line_leaves_a_whole_record,
        bad_messages_do_not_end_the_call,
        marks_that_never_come_back_do_not_hold_the_call,
        hanging_up_by_rest_asks_twilio,
        hanging_up_by_rest_that_fails_closes_the_stream,
        a_killed_server_keeps_all_but_the_turn_in_progress,
        sigterm_lets_the_call_end,
        a_full_house_says_so,
        nothing_of_a_call_is_left,
    ])
