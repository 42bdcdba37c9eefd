#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How the daemon starts and stops."""

import fcntl
import json
import os
import re
import select
import signal
import urllib.parse
import urllib.request

from stack import Failure, Stack, check, get, poll, run_tests

UNSIGNED = "validate_signatures = false"


def alive(stack):
    status, body = get(stack.url + "/readyz")
    return json.loads(body).get("active_calls", 0) if status == 200 else 0


def started_call(stack, name="phone", seconds=60):
    phone = stack.start(name, stack.call_args("--max-duration", str(seconds)))
    poll(lambda: alive(stack) > 0, "a live call")
    return phone


def an_idle_daemon_ends_at_once():
    for sig in (signal.SIGTERM, signal.SIGINT):
        with Stack() as stack:
            stack.start_server()
            code = stack.server.stop(sig, timeout=15)
            check(code == 0, f"{sig.name}: exit {code}")


def a_live_call_may_end_before_the_daemon_does():
    with Stack() as stack:
        stack.start_server(twilio=UNSIGNED)
        phone = started_call(stack, seconds=5)
        stack.server.process.send_signal(signal.SIGTERM)
        poll(lambda: get(stack.url + "/readyz")[0] == 503, "draining")
        # No new calls meanwhile, said in words.
        form = urllib.parse.urlencode({"CallSid": "CA01", "From": "x"})
        with urllib.request.urlopen(stack.voice_url(), form.encode()) as new:
            twiml = new.read().decode()
        check("<Say" in twiml and "<Hangup/>" in twiml and
              "<Stream" not in twiml, twiml)
        check(stack.server.process.poll() is None, "it did not wait")
        phone.wait(60)
        code = stack.server.wait(30)
        check(code == 0, f"exit {code}")
        check("all calls had ended" in stack.server.output(), "not drained")


def a_second_signal_ends_calls_with_a_record():
    with Stack() as stack:
        stack.start_server()
        started_call(stack)
        stack.server.process.send_signal(signal.SIGTERM)
        poll(lambda: get(stack.url + "/readyz")[0] == 503, "draining")
        code = stack.server.stop(signal.SIGTERM, timeout=30)
        check(code == 0, f"exit {code}")
        stack.start_server(name="serve")  # the same records
        record = stack.record()
        check(record["end_reason"] == "server_stopped" and record["ended_ms"],
              f"the record says {record['end_reason']}")


def a_drain_has_an_end():
    with Stack() as stack:
        stack.start_server(env={"PATCHCORD_SERVER_DRAIN_TIMEOUT_S": "1"})
        started_call(stack)
        code = stack.server.stop(signal.SIGTERM, timeout=30)
        check(code == 0, f"exit {code}")


def nothing_of_a_call_is_left_behind():
    """Descriptors, threads, and a live call's entries: after calls as before,
    when each worker had had its first ones."""
    with Stack() as stack:
        stack.start_server()

        def calls(count, name):
            phones = [stack.start(f"{name}{i}", stack.call_args(
                "--no-live", "--voice", "en-us+f2", "--say", "book a room",
                "--hang-up-after", "200")) for i in range(count)]
            for phone in phones:
                phone.wait(60)
            poll(lambda: alive(stack) == 0, "the calls' end")

        calls(4, "first")
        server = stack.server
        before = server.threads(), server.fds()
        calls(4, "then")
        calls(4, "last")
        check(len(stack.calls()) == 12, f"{len(stack.calls())} records")
        # What closes a connection may come a moment behind the call's end.
        try:
            poll(lambda: server.threads() <= before[0] and
                 server.fds() <= before[1], "threads and descriptors back", 10)
        except Failure:
            now = server.threads(), server.fds()
            raise Failure(f"threads and descriptors: {before} before, {now} "
                          "behind 8 calls") from None


def threads_are_no_matter_of_calls():
    """The workers, the main thread, the records' writer, and the offline
    voice's."""
    for count in (1, 20):
        with Stack() as stack:
            stack.start_server()
            phones = stack.start("phones", stack.call_args(
                "--no-live", "--calls", str(count), "--hang-up-after", "60000"))
            poll(lambda: alive(stack) == count, "all calls at once")
            poll(lambda: len(stack.calls()) == count and all(
                stack.record(call["call_sid"])["turns"]
                for call in stack.calls()), "what their agents say")
            names = stack.server.thread_names()
            check(len(names) == len(os.sched_getaffinity(0)) + 3,
                  f"{count} calls: {names}")
            phones.kill()


def a_call_that_stops_its_worker_is_named():
    """By an element of which no check can know: its file is a full pipe."""
    with Stack() as stack:
        pipe = stack.folder / "pipe"
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
        text = (stack.source / "pipelines/offline.launch").read_text()
        check("! twiliosink" in text, text)
        stack.start_server(pipeline=str(stack.file("full.launch", text.replace(
            "! twiliosink", "! tee name=t ! twiliosink  t. ! filesink "
            f"name=out buffer-mode=unbuffered location={pipe}"))))
        sid = "CA" + 32 * "0"
        phone = stack.start("phone", stack.call_args(
            "--no-live", "--call-sid", sid, "--max-duration", "5"))
        poll(lambda: "have stood still" in stack.server.output(), "the log")
        check(f"call {sid} is in filesink (out)" in stack.server.output(),
              "the log does not say where")
        while phone.process.poll() is None:  # and all goes on
            if select.select([reader], [], [], 0.1)[0]:
                os.read(reader, 65536)
        poll(lambda: "a worker turns again" in stack.server.output(), "the log")
        stack.ended_record(sid)
        os.close(reader)


def a_probe_starts_no_foreign_element():
    with Stack() as stack:
        states = stack.folder / "states"
        stack.start_server(env={"GST_DEBUG": "GST_STATES:4",
                                "GST_DEBUG_FILE": str(states)})
        # Once, by the daemon itself; it was asked whether it is ready, too.
        tried = re.findall(r"<mulawenc\d+>.*completed state change to PAUSED",
                           states.read_text(errors="replace"))
        check(len(tried) == 1, tried)


def the_log_has_no_word_and_no_number_of_a_caller():
    with Stack() as stack:
        stack.start_server()
        stack.call("--voice", "en-us+f2", "--say", "Mountain View",
                   "--say", "book a room", "--hang-up-after", "500")
        record = stack.ended_record()
        stack.server.stop()
        log = stack.server.output()
        check(record["call_sid"] in log, "the call is not in the log")
        check(len(record["from"]) > 8 and len(record["to"]) > 8, str(record))
        private = [record["from"][1:], record["to"][1:]]
        for turn in record["turns"]:
            private += [turn["caller"], turn["heard"], turn["said"]]
        private = [text for text in private if text]
        check(len(private) > 4, f"too little was said: {private}")
        for text in private:
            check(text not in log, f"{text!r} is in the log:\n{log}")


def a_taken_port_is_told():
    with Stack() as stack:
        url = stack.start_server()
        second = stack.start("second", [
            stack.build / "src/cli/patchcord", "serve", "--listen",
            url.removeprefix("http://")],
            {"PATCHCORD_STORE_RECORDS": "sqlite::memory:"})
        code = second.wait(30)
        check(code == 1 and "another program listens" in second.output(),
              f"exit {code}: {second.output()}")


if __name__ == "__main__":
    run_tests([
        an_idle_daemon_ends_at_once,
        a_live_call_may_end_before_the_daemon_does,
        a_second_signal_ends_calls_with_a_record,
        a_drain_has_an_end,
        nothing_of_a_call_is_left_behind,
        threads_are_no_matter_of_calls,
        a_call_that_stops_its_worker_is_named,
        a_probe_starts_no_foreign_element,
        the_log_has_no_word_and_no_number_of_a_caller,
        a_taken_port_is_told,
    ])
