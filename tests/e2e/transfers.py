#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Callers who are put through to a person, and come back when nobody takes the
call. The offline graph, the simulated phone, and Twilio's REST API as a fake."""

import json
import signal
import threading

from rest import Rest
from stack import Stack, check, get, json_in, poll, run_tests

AGENT = """
name = "Tea round"
greeting = "Hello, tea round."
instructions = "Take orders."
[[fields]]
name = "drink"
type = "choice"
label = "the drink"
question = "Tea or coffee?"
say = "{value} to drink"
choices = [{ value = "tea" }, { value = "coffee" }]
[[fields]]
name = "cups"
type = "integer"
question = "How many cups?"
say = "{value} cups"
min = 1
max = 9
[end]
confirm = false
goodbye = "Thank you. Goodbye."
[phrases]
transfer = "I put you through."
transfer_failed = "Nobody is there."
[[transfer]]
name = "desk"
number = "+14155550111"
when = "The caller wants a person."
[[transfer]]
name = "kitchen"
number = "+14155550112"
when = "About the tea."
phrases = ["the kitchen"]
summary = true
timeout_s = 20
"""


def serve(stack, **settings):
    stack.start_server(agent=str(stack.file("tea.toml", AGENT)), **settings)


def good(code, call, words):
    check(code == 0 and call and call["in_order"] and not call["warnings"],
          f"{words}: exit {code}: {json.dumps(call)[:3000]}")


def events(stack, sid):
    return [json.loads(line.removeprefix("data: ")) for line in
            get(stack.url + f"/api/calls/{sid}/events")[1].splitlines()
            if line.startswith("data: {")]


def a_caller_is_put_through():
    with Stack() as stack:
        serve(stack)
        code, call = stack.call("--say", "operator")
        good(code, call, "put through")
        check(call["dialled"] == [{
            "number": "+14155550111", "caller_id": "+14155550100",
            "outcome": "completed", "whispered": []}], call["dialled"])
        record = stack.ended_record()
        told = {key: record[key] for key in (
            "end_reason", "status", "transfer_to", "transfer_number",
            "transfer_outcome")}
        check(told == {"end_reason": "transferred", "status": "completed",
                       "transfer_to": "desk", "transfer_outcome": "answered",
                       "transfer_number": "+14155550111"}, told)
        last = record["turns"][-1]
        check(last["action"] == "transfer" and
              last["heard"] == "I put you through.", last)


def who_takes_the_call_hears_what_is_known():
    with Stack() as stack:
        serve(stack)
        code, call = stack.call("--say", "tea", "--say",
                                "put me through to the kitchen")
        good(code, call, "a summary")
        check([d["whispered"] for d in call["dialled"]] == [[
            "You have a call from 1 4 1 5 5 5 5 0 1 0 0. tea to drink"]],
            call["dialled"])
        record = stack.ended_record()
        check(record["transfer_to"] == "kitchen" and
              record["fields"] == {"drink": "tea"}, record)


def nobody_takes_the_call_and_the_agent_goes_on():
    with Stack() as stack:
        serve(stack)
        code, call = stack.call(
            "--dial", "no-answer", "--dial", "busy", "--say", "tea", "--say",
            "operator", "--say", "operator", "--say", "two")
        good(code, call, "comes back")
        check([d["outcome"] for d in call["dialled"]] == ["no-answer", "busy"],
              call["dialled"])
        record = stack.ended_record()
        check(record["end_reason"] == "goal" and
              record["fields"] == {"drink": "tea", "cups": 2} and
              record["field_turns"] == {"drink": 1, "cups": 6} and
              record["transfer_outcome"] == "busy", record)
        said = [turn["said"] for turn in record["turns"]]
        check(said == ["Hello, tea round. Tea or coffee?", "How many cups?",
                       "I put you through.", "Nobody is there. How many cups?",
                       "I put you through.", "Nobody is there. How many cups?",
                       "Thank you. Goodbye."], said)
        times = [turn["started_ms"] for turn in record["turns"]]
        check(times == sorted(times), times)


def rest_puts_through_where_it_may():
    with Stack() as stack:
        rest = Rest(stack)
        serve(stack, twilio='hangup = "rest"')
        sid = rest.call_in("--say", "operator")
        code, call = rest.summary(sid)
        good(code, call, "by REST")
        check([d["number"] for d in call["dialled"]] == ["+14155550111"],
              call["dialled"])
        path, fields = rest.requests[-1]
        check(path.endswith(f"/Calls/{sid}.json") and
              dict(fields)["Twiml"].count("<Dial ") == 1, rest.requests)
        check(stack.ended_record(sid)["transfer_outcome"] == "answered",
              "the record does not know")


def rest_that_refuses_is_done_without():
    with Stack() as stack:
        rest = Rest(stack, updates=False)
        serve(stack, twilio='hangup = "rest"')
        sid = rest.call_in("--say", "operator")
        code, call = rest.summary(sid)
        good(code, call, "without REST")
        check([d["number"] for d in call["dialled"]] == ["+14155550111"],
              call["dialled"])
        check("closing the media stream instead" in stack.server.output(),
              "the log does not tell")


def a_caller_who_is_gone_when_rest_is_asked_ends_the_record():
    with Stack() as stack:
        rest = Rest(stack, gone=True)
        serve(stack, twilio='hangup = "rest"')
        sid = rest.call_in("--say", "operator")
        rest.summary(sid)
        record = stack.ended_record(sid)
        check(record["end_reason"] == "caller_hung_up" and
              record["transfer_outcome"] == "canceled", record)
        check(events(stack, sid) == [], "the events do not end")


def an_answer_of_rest_that_comes_late_does_no_harm():
    """When the caller has been put through, has talked, and is gone."""
    with Stack() as stack:
        over = threading.Event()
        rest = Rest(stack, answer_when=over)
        serve(stack, twilio='hangup = "rest"')
        sid = rest.call_in("--say", "operator")
        code, call = rest.summary(sid)
        good(code, call, "by REST")
        record = stack.ended_record(sid)
        over.set()
        check(record["end_reason"] == "transferred" and
              record["transfer_outcome"] == "answered", record)
        # The next caller has his call, and nobody the one before.
        sid = rest.call_in("--say", "tea", "--say", "two")
        code, call = rest.summary(sid)
        good(code, call, "behind it")
        check(stack.ended_record(sid)["end_reason"] == "goal", "the next record")
        check(stack.server.stop() == 0, "the server fails")


def who_is_never_asked_about_ends_the_record():
    with Stack() as stack:
        serve(stack)
        phone = stack.start("phone", stack.call_args(
            "--json", "--no-live", "--say", "operator"))
        sid = poll(lambda: stack.calls() and stack.calls()[0]["call_sid"],
                   "the call")
        poll(lambda: stack.record(sid)["transfer_outcome"] == "asked",
             "the transfer", interval=0.005)
        # It returns no mark, and asks nothing behind the stream.
        phone.process.send_signal(signal.SIGSTOP)
        record = poll(lambda: stack.record(sid)["ended_ms"] and
                      stack.record(sid), "the record's end", 60)
        check("putting the caller through" in stack.server.output(),
              "it was not handed over")
        check(record["end_reason"] == "caller_hung_up" and
              record["transfer_outcome"] == "canceled", record)


def a_caller_who_hangs_up_before_is_not_put_through():
    with Stack() as stack:
        serve(stack)
        # Into the last words.
        code, call = stack.call("--say", "operator", "--barge-in", "300",
                                "--hang-up")
        check(code == 0 and call["dialled"] == [], call)
        record = stack.ended_record()
        check(record["end_reason"] == "caller_hung_up" and
              record["transfer_outcome"] == "canceled", record)


def a_server_that_stops_awaits_who_comes_back():
    with Stack() as stack:
        serve(stack)
        phone = stack.start("phone", stack.call_args(
            "--json", "--no-live", "--dial", "busy", "--say", "tea", "--say",
            "operator", "--say", "two"))
        poll(lambda: "putting the caller through" in stack.server.output(),
             "the transfer", interval=0.005)
        stack.server.process.send_signal(signal.SIGTERM)
        code = phone.wait(60)
        check(code == 0, f"exit {code}: {phone.output()}")
        code = stack.server.wait(30)
        check(code == 0 and "all calls had ended" in stack.server.output(),
              f"exit {code}")
        stack.start_server(name="serve")  # the same records
        record = stack.record()
        check(record["end_reason"] == "goal" and
              record["fields"] == {"drink": "tea", "cups": 2} and
              record["transfer_outcome"] == "busy", record)


def a_server_that_stops_answers_what_is_asked_behind_its_last_call():
    """What comes next is asked when the last stream has ended: by the phone at
    once, by the network a moment later."""
    with Stack() as stack:
        serve(stack)
        phone = stack.start("phone", stack.call_args(
            "--json", "--no-live", "--say", "tea", "--say", "two"))
        poll(lambda: "the media stream began" in stack.server.output(),
             "the call")
        stack.server.process.send_signal(signal.SIGTERM)
        code = phone.wait(60)
        status, _ = get(stack.url + "/healthz")
        check(status == 200, f"status {status}")
        good(code, json_in(phone.output()), "the last call")
        check(stack.server.wait(30) == 0 and "all calls had ended" in
              stack.server.output(), "the server fails")


def a_server_that_stops_at_once_leaves_the_outcome_unknown():
    with Stack() as stack:
        serve(stack, env={"PATCHCORD_SERVER_DRAIN_TIMEOUT_S": "0"})
        # Whose transfer is not over when the server stops.
        stack.start("phone", stack.call_args(
            "--no-live", "--dial-talk", "100", "--say", "operator"))
        poll(lambda: "putting the caller through" in stack.server.output(),
             "the transfer")
        code = stack.server.stop(timeout=30)
        check(code == 0 and "transfer to desk will not be known" in
              stack.server.output(), f"exit {code}")
        stack.start_server(name="serve")  # the same records
        record = stack.record()
        check(record["end_reason"] == "transferred" and record["ended_ms"] and
              record["transfer_outcome"] == "unknown" and
              "server stopped" in record["end_detail"], record)


def who_withholds_his_number_is_put_through_with_the_one_he_called():
    with Stack() as stack:
        serve(stack)
        code, call = stack.call("--from", "+266696687", "--say",
                                "put me through to the kitchen")
        good(code, call, "withheld")
        check([(d["caller_id"], d["whispered"]) for d in call["dialled"]] == [
            ("+14155550199", ["You have a call from a withheld number."])],
            call["dialled"])


def tickets_are_no_matter_of_the_log():
    with Stack() as stack:
        serve(stack)
        code, call = stack.call("--dial", "busy", "--dial", "answered", "--say",
                                "operator", "--say", "operator")
        good(code, call, "twice")
        stack.ended_record()
        check("ticket=" not in stack.server.output(), stack.server.output())


if __name__ == "__main__":
    run_tests([
        a_caller_is_put_through,
        who_takes_the_call_hears_what_is_known,
        nobody_takes_the_call_and_the_agent_goes_on,
        rest_puts_through_where_it_may,
        rest_that_refuses_is_done_without,
        a_caller_who_is_gone_when_rest_is_asked_ends_the_record,
        an_answer_of_rest_that_comes_late_does_no_harm,
        who_is_never_asked_about_ends_the_record,
        a_caller_who_hangs_up_before_is_not_put_through,
        a_server_that_stops_awaits_who_comes_back,
        a_server_that_stops_answers_what_is_asked_behind_its_last_call,
        a_server_that_stops_at_once_leaves_the_outcome_unknown,
        who_withholds_his_number_is_put_through_with_the_one_he_called,
        tickets_are_no_matter_of_the_log,
    ])
