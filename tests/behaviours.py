#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/behaviours.md names tests: all of them exist. It has a row for each case
that is known by a name of others."""

import os
import pathlib
import re
import sys

ROOT = pathlib.Path(os.environ["PATCHCORD_SOURCE_ROOT"])
PAGE = (ROOT / "docs/behaviours.md").read_text()
SOURCES = [p.read_text() for folder in ("unit", "element")
           for p in (ROOT / "tests" / folder).glob("test_*.cpp")]

CASES = """
end_call_goodbye_audio_gate hangup_goodbye_drain_on_teardown
end_call_bargein_guard end_call_teardown_self_cancel
history_interruption_trim sync_history_unacked_tail
sync_history_control_marks split_utterance_tail_not_dropped
trailing_utterance playout_estimate idle_flush_duplicate_guard
telephony_output_send_timeout cleanup_downstream_survives_dead_output_socket
stale_decision_guard voicemail_gate flux_stuck_turn
transcriber_pool_reconnect elevenlabs_close_context_eos
elevenlabs_force_finalize extraction_json_cleaning ssrf_validation
false_interruption_resume interruption_hold_window playout_launch_pause
session_close_user_turn drain_timeout interrupt_protected_speech filler
user_turn_exceeded endpointing end_of_turn_metrics stt_fallback tts_fallback
transcription_timeout voice_invariants voice_scaling webhook_validation
media_streams_twiml redaction
""".split()


def exists(name):
    """Whether a source names it in whole, or its area and the rest apart."""
    area, rest = name[:name.rindex("/") + 1], name[name.rindex("/") + 1:]
    return any(f'"{name}"' in text or
               (f'"{area}' in text and f'"{rest}"' in text)
               for text in SOURCES)


def missing():
    page = PAGE[PAGE.index("\n## "):]
    for name in re.findall(r"`([^`]+)`", page):
        if name.startswith("/") and not exists(name):
            yield name
        elif name.endswith((".toml", ".yaml")) and not (
                ROOT / "data/scenarios" / name).exists():
            yield name
        elif (program := re.fullmatch(r"(daemon|dial|transfers): (\w+)", name)) \
                and f"def {program[2]}(" not in (
                    ROOT / f"tests/e2e/{program[1]}.py").read_text():
            yield name


def without_a_test():
    """Cases without a row that names a test. What it names, missing() checks."""
    for case in CASES:
        row = re.search(rf"^\| [\w ]+ \| `{case}` \| `([^`]+)` \|$", PAGE, re.M)
        if not row or not re.match(r"/|\w+: \w+$|[\w-]+\.(toml|yaml)$", row[1]):
            yield case


def told(number, name, problems):
    for problem in problems:
        print(f"# docs/behaviours.md: {problem}")
    print(f"{'not ok' if problems else 'ok'} {number} - {name}")
    return not problems


print("1..2")
held = [told(1, "every test that is named exists",
             [f"{name} is no test" for name in missing()]),
        told(2, "every case that others named has a test",
             [f"{case} has none" for case in without_a_test()])]
sys.exit(not all(held))
