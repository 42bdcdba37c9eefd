#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whole calls under load: what they cost and how late they are.

calls.py [--pipeline cloud-mulaw] [--calls 200] [--seconds 20]
         [--barge-in CALLS] [--total CALLS] [--token-ms MS]

Runs the real server against the fakes of the providers and the simulated phone
on this machine, and prints figures; it never fails for a slow one. CPU is the
server's alone (user and system), a call and second; memory what the server
holds more, a call. Latency is measured by the phone: from the caller's last
voiced frame to the first audio of the reply, minus what the fakes were told to
take. The phone and the fakes share the machine: their own lateness is printed
too, and a figure beside a late phone is worth little.
"""

import argparse
import array
import math
import os
import pathlib
import statistics
import sys
import time
import wave

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from stack import Stack, check, json_in, poll  # noqa: E402

# What the fakes take, in ms. Audio comes in packets of 20 ms: silence of 490 ms
# is known with the packet that ends 500 ms behind the last voiced one. The
# difference leaves room for the delay of resampling.
STT, VAD, LLM, TTS = 100, 500, 100, 60
VAD_SETTING = 490

AGENT = """
name = "benchmark"
greeting = "Hello, you are through to the benchmark, go ahead please."
instructions = "Answer."
[[fields]]
name = "note"
type = "string"
required = false
question = "Anything else?"
[end]
goodbye = "Goodbye."
[limits]
max_turns = 200
silence_prompt_s = 60
"""

ANSWER = {
    "message": "Thank you, I have noted that down for you. Is there anything "
               "else that I could do for you today?",
    "action": "ask",
    "extracted": {"note": None},
}


def machine():
    model = "unknown processor"
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{len(os.sched_getaffinity(0))} cores of {model}"


def caller_line(path, seconds=4.6):
    """Syllables with pauses, and an end that every detector finds at the same
    sample: soft ends of words are where they differ, by up to 100 ms."""
    rate, samples = 8000, array.array("h")
    syllable, pauses = int(0.16 * rate), (0.04, 0.06, 0.14, 0.05)
    for number in range(int(seconds / 0.22)):
        pitch = 110 + 30 * (number % 3)
        for i in range(syllable):
            t = i / rate
            samples.append(int(5000 * sum(
                math.sin(2 * math.pi * pitch * k * t) / k for k in (1, 2, 5))))
        samples.extend([0] * int(pauses[number % len(pauses)] * rate))
    while samples[-1] == 0:
        samples.pop()
    del samples[len(samples) // 160 * 160:]  # whole packets
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.tobytes())
    return path


def script(arguments):
    return {
        "transcripts": ["this is something the caller says"] * 200,
        "answers": [{"answer": ANSWER}] * 200,
        "stt_delay_ms": STT,
        "llm_first_token_ms": LLM,
        "llm_token_ms": arguments.token_ms,
        "elevenlabs": {"tts_first_byte_ms": TTS},
    }


def sample(server, calls, seconds):
    cpu, start = server.cpu_seconds(), time.monotonic()
    time.sleep(seconds)  # the measurement itself
    used = server.cpu_seconds() - cpu
    return 1000 * used / calls / (time.monotonic() - start)


def measure(stack, arguments):
    agent = stack.file("benchmark.toml", AGENT)
    # A process each: the fakes' loop looks at every connection at every wake-up,
    # which is time that the server is taken to task for.
    stack.start_fakes(script(arguments))
    _, ears = stack.start_provider("ears", script(arguments))
    _, voice = stack.start_provider("voice", script(arguments))
    graph = (stack.source / "pipelines" / f"{arguments.pipeline}.launch")
    graph = stack.file("benchmark.launch", graph.read_text().replace(
        "realtimestt", f"realtimestt vad-silence-ms={VAD_SETTING}"))
    stack.start_server(pipeline=str(graph), agent=str(agent),
                       openai=f'realtime_url = "{ears.replace("http", "ws")}'
                              '/v1/realtime?intent=transcription"',
                       elevenlabs_url=voice)
    server = stack.server
    # One call first: registries, caches, pools.
    stack.call("--say", "Good morning.", "--hang-up-after", "3000",
               name="warm-up")
    poll(lambda: all(c["ended_ms"] for c in stack.calls()), "warm-up's end")
    memory_before = server.memory_kb()
    if arguments.total:  # what each worker has from its first call on
        stack.call("--calls", "10", "--say", "Good morning.",
                   "--hang-up-after", "3000", name="warm-up-workers")
        poll(lambda: all(c["ended_ms"] for c in stack.calls()), "warm-up's end")
    base = (memory_before, server.threads(), server.fds())

    seconds = arguments.seconds + 12
    # Calls begin 20.55 ms apart: their packets come spread over the 20 ms, as
    # those of callers who know nothing of each other do.
    says = ["--wav", caller_line(stack.folder / "line.wav")] * (seconds // 8)
    phone = stack.start("load", stack.call_args(
        "--json", "--no-live", "--calls", str(arguments.calls), "--ramp", "4.11",
        "--reply-after", "700", *says, "--max-duration", str(seconds)))
    time.sleep(8)  # the ramp, and the first exchange of the last caller
    check(phone.process.poll() is None, "the phone ended early")
    memory = server.memory_kb()
    threads, fds = server.threads(), server.fds()
    cost = sample(server, arguments.calls, arguments.seconds)
    memory = max(memory, server.memory_kb())
    phone.wait(seconds * 3 + 60)
    data = json_in(phone.output())
    check(data, "the phone gave no summary")

    print(f"pipeline {arguments.pipeline}, {arguments.calls} calls, "
          f"{arguments.seconds} s, {machine()}")
    print(f"cpu: {cost:.3f} ms per second of call "
          f"({1000 / cost:.0f} calls a core)")
    print(f"memory: {(memory - base[0]) / arguments.calls:.0f} kB a call "
          f"(server without calls {base[0] / 1024:.0f} MB)")
    print(f"threads: {threads} (without calls {base[1]})")
    print(f"descriptors: {fds} (without calls {base[2]})")
    latencies = sorted(data.get("response_ms", []) or
                       data.get("latencies_ms", []))
    if latencies:
        told = VAD + STT + LLM + TTS
        added = [value - told for value in latencies]
        print(f"added latency: median {statistics.median(added):.1f} ms, "
              f"p99 {added[int(len(added) * 0.99) - 1]:.1f} ms "
              f"({len(added)} turns; the fakes take {told} ms"
              + (", and what the first clause's tokens take)"
                 if arguments.token_ms else ")"))
    for name in ("tick_lateness_ms", "lateness_ms", "ticks"):
        if name in data:
            print(f"phone's own lateness: {data[name]}")

    def quiet():
        return all(c["ended_ms"] for c in stack.calls())
    poll(quiet, "all calls over", 60)
    return base


def barge_in(stack, arguments):
    """Each caller speaks into two replies: how long it hears the agent still."""
    line = caller_line(stack.folder / "short.wav", 1.5)
    code, data = stack.call(
        "--calls", str(arguments.barge_in), "--ramp", "3", "--wav", line,
        "--barge-in", "1200", "--wav", line, "--barge-in", "900", "--wav", line,
        "--hang-up-after", "3000", name="barge-in", timeout=300)
    check(code == 0 and data, f"the phone ended with {code}")
    found = data["latency"]["barge_in_leftover"]
    print(f"barge-in, {arguments.barge_in} calls: from the caller's first sample "
          f"to the agent's last: median {found['median_ms']:.0f} ms, "
          f"p99 {found['p99_ms']:.0f} ms ({found['count']} interruptions)")


def after_many(stack, arguments, base):
    """Short calls, then what is left of them."""
    done = 0
    while done < arguments.total:
        batch = min(100, arguments.total - done)
        stack.call("--calls", str(batch), "--ramp", "1", "--say", "Hello.",
                   "--hang-up-after", "4000", name=f"many-{done}")
        done += batch
    poll(lambda: all(c["ended_ms"] for c in stack.calls()), "all over", 60)
    # Connections to the model stay warm for a minute.
    poll(lambda: stack.server.fds() <= base[2], "descriptors back", 90, 0.5)
    print(f"after {done} calls: {stack.server.threads()} threads, "
          f"{stack.server.fds()} descriptors, "
          f"{(stack.server.memory_kb() - base[0]) / 1024:.1f} MB more than "
          f"before the first (threads {base[1]}, descriptors {base[2]})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pipeline", default="cloud-mulaw")
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--total", type=int, default=0)
    parser.add_argument("--barge-in", type=int, default=0)
    parser.add_argument("--token-ms", type=int, default=0,
                        help="the model's tokens come one by one, as far apart "
                             "as that: what reading them costs")
    parser.add_argument("--build")
    arguments = parser.parse_args()
    with Stack(arguments.build) as stack:
        base = measure(stack, arguments)
        if arguments.barge_in:
            barge_in(stack, arguments)
        if arguments.total:
            after_many(stack, arguments, base)


if __name__ == "__main__":
    main()
