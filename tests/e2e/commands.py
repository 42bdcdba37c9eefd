#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the program says when asked, and when asked wrongly."""

import http.server
import json
import os
import pathlib
import ssl
import subprocess
import threading

from stack import Stack, check, poll, run_tests

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
    for args in ([], ["serve"], ["check"], ["call"], ["dial"], ["test"],
                 ["replay"], ["help"]):
        for option in ("--version", "-V"):
            code, out, err = run(*args, option)
            check(code == 0 and out.startswith("patchcord ") and not err,
                  f"{args} {option}: {code} {out!r} {err!r}")


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


def a_voice_that_is_not_there_is_refused_naming_file_and_key():
    whole = 'name = "x"\ngreeting = "hello"\ninstructions = "be kind"\n'
    with Stack() as stack:
        for keys, words in (
                ('[voice]\nespeak = "klingonese"\n', [":5: voice.espeak", "klingonese"]),
                ('language = "ceb"\n', [":4: language", '"ceb"',
                                       "voice.espeak may name"]),
                ('language = "tlh"\n', [":4: language: expected the code of a "
                                       'language, such as en or de-AT, got "tlh"']),
        ):
            agent = stack.file("mute.toml", whole + keys)
            config = stack.file("c.toml", f'[call]\nagent = "{agent}"\n')
            for command in ("serve", "check"):
                code, out, err = run(command, "--config", config,
                                     env={"TWILIO_AUTH_TOKEN": "t" * 32})
                said = out + err
                for word in [str(agent), *words]:
                    check(code != 0 and word in said,
                          f"{command}: {word!r} is not in {said!r}")
        # A voice there is, and nobody offline who understands it.
        agent = stack.file("german.toml", whole + 'language = "de-AT"\n')
        config = stack.file("c.toml", f'[call]\nagent = "{agent}"\n')
        _, out, err = run("check", "--config", config,
                          env={"TWILIO_AUTH_TOKEN": "t" * 32})
        check("sphinxstt understands English only, not de-AT" in out + err,
              out + err)


def all_that_turns_callers_away_is_told_at_once_with_its_line():
    with Stack() as stack:
        config = stack.file("bad.toml", """[call]
agent = "nosuch"
pipeline = "ofline"
recordings = "/nonexistent/a/b"
[store]
records = "sqlite:/nonexistent/x.db"
[twilio]
hangup = "rest"
""")
        for command in ("serve", "check"):
            code, out, err = run(command, "--config", config)
            said = out + err
            for line, words in (
                    (2, 'call.agent: no agent is called "nosuch"'),
                    (3, 'call.pipeline: no pipeline is called "ofline"'),
                    (4, "call.recordings: /nonexistent/a/b: No such file"),
                    (6, "store.records: /nonexistent/x.db: unable to open"),
                    (8, 'twilio.hangup: "rest" needs an account: set '
                        "TWILIO_ACCOUNT_SID"),
                    (8, 'twilio.hangup: "rest" needs an auth token: set '
                        "TWILIO_AUTH_TOKEN")):
                check(code == 1 and f"{config}:{line}: {words}" in said,
                      f"{command}: {line}: {words} is not in {said!r}")
        code, _, err = run("serve", "--agent", "nosuch", "--pipeline", "ofline")
        check(code == 1 and "--agent: call.agent: no agent" in err and
              "--pipeline: call.pipeline: no pipeline" in err, err)


def a_model_that_has_no_key_is_refused():
    for command in ("serve", "check"):
        code, out, err = run(command, env={"PATCHCORD_CALL_PIPELINE": "cloud",
                                           "PATCHCORD_SERVER_LISTEN":
                                           "127.0.0.1:0",
                                           "PATCHCORD_STORE_RECORDS":
                                           "sqlite::memory:"}, timeout=20)
        check(code == 1 and "the pipeline needs a key: set OPENAI_API_KEY"
              in out + err, f"{command}: {code} {out} {err}")


EARS = "twiliosrc ! voiceactivity ! audioresample"
VOICE = "audioresample ! mulawenc ! twiliosink"


def a_key_in_a_graph_is_its_element_s_alone():
    own = "base-url=http://127.0.0.1:9/v1"
    for hearing, thinking, speaking, missing in (
            ("", "", "api-key=abc", ["OPENAI_API_KEY"]),
            ("api-key=abc", "", "", ["OPENAI_API_KEY", "ELEVENLABS_API_KEY"]),
            ("api-key=abc", 'api-key = "a ! b"', "api-key=abc", []),
            # What is no key, and what wants none.
            ("name=api-key", own, "api-key=abc", ["OPENAI_API_KEY"]),
            (own, own, "api-key=abc", [])):
        with Stack() as stack:
            graph = stack.file("own.launch", f"""{EARS} ! realtimestt {hearing}
! agent {thinking} mind=openai ! elevenlabssrc {speaking} ! {VOICE}""")
            env = {"PATCHCORD_CALL_PIPELINE": str(graph),
                   "PATCHCORD_STORE_RECORDS": "sqlite::memory:",
                   "PATCHCORD_SERVER_LISTEN": "127.0.0.1:0",
                   "TWILIO_AUTH_TOKEN": "0" * 32}
            code, out, err = run("check", "--no-network", env=env)
            said = out + err
            for name in ("OPENAI_API_KEY", "ELEVENLABS_API_KEY"):
                check((f"the pipeline needs a key: set {name}" in said) ==
                      (name in missing), f"{name}, {graph.read_text()}: {said}")
            check((code == 1) == bool(missing), said)
            one_line_an_item_at_least(out)
            if "OPENAI_API_KEY" in missing:
                code, out, err = run("serve", env=env, timeout=20)
                check(code == 1 and "set OPENAI_API_KEY" in err, out + err)


def a_graph_is_asked_and_not_its_text():
    """However it is written: whose tools need secrets, who understands what."""
    with Stack() as stack:
        agent = stack.file("desk.toml", """name = "x"
greeting = "hello"
instructions = "be kind"
language = "de"
[[tools]]
name = "look"
description = "Looks."
url = "https://h.example/rooms"
[tools.headers]
Authorization = { prefix = "Bearer", env = "NOT_SET_ANYWHERE" }
""")
        # A name is no element.
        graph = stack.file("own.launch", f"""{EARS} ! realtimestt name=sphinxstt
! agent mind = "openai" ! espeaksrc ! {VOICE}""")
        env = {"PATCHCORD_CALL_PIPELINE": str(graph),
               "PATCHCORD_CALL_AGENT": str(agent), "OPENAI_API_KEY": "k",
               "PATCHCORD_STORE_RECORDS": "sqlite::memory:"}
        code, out, err = run("check", "--no-network", env=env)
        check(code == 1 and "NOT_SET_ANYWHERE" in out + err, out + err)
        check("English only" not in out + err, out + err)


def one_line_an_item_at_least(said):
    for item in ("openai", "elevenlabs"):
        check(any(line.split()[1:2] == [item] for line in said.splitlines()),
              f"no line about {item}: {said}")


def a_server_that_wants_no_key_is_asked():
    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.headers.get("Authorization"))
            body = json.dumps({"data": [{"id": "gpt-transcribe"},
                                        {"id": "gpt-6-luna"}]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    def said_of(url, *args):
        _, out, err = run("check", *args, env={
            "OPENAI_BASE_URL": url, "PATCHCORD_CALL_PIPELINE": "cloud",
            "PATCHCORD_STORE_RECORDS": "sqlite::memory:"})
        one_line_an_item_at_least(out)
        return out + err

    asked = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    own = f"http://127.0.0.1:{server.server_port}/v1"
    for said, words in (
            (said_of("http://127.0.0.1:9/v1"),
             "FAIL  openai        http://127.0.0.1:9/v1/models does not answer"),
            (said_of(own), f"{own} answers without a key"),
            (said_of(own, "--no-network"), "no key is set")):
        check(words in said, f"{words!r} is not in {said}")
    server.shutdown()
    check(asked == [None], f"asked with {asked}")
    # And when nobody knows who is to be asked.
    _, out, _ = run("check", env={"PATCHCORD_CALL_PIPELINE": "clod",
                                  "PATCHCORD_STORE_RECORDS": "sqlite::memory:"})
    one_line_an_item_at_least(out)


def a_server_that_would_turn_all_calls_away_does_not_start():
    with Stack() as stack:
        env = {"PATCHCORD_STORE_RECORDS": "sqlite::memory:",
               "PATCHCORD_SERVER_LISTEN": "127.0.0.1:0"}
        code, out, err = run("serve", env=env, timeout=20)
        check(code == 1 and "there is no auth token" in err and
              "--local" in err, f"exit {code}: {out} {err}")
        del stack.env["TWILIO_AUTH_TOKEN"]
        for name, args, more in (
                ("local", ["--local"], {}),
                ("open", [], {"PATCHCORD_TWILIO_VALIDATE_SIGNATURES":
                              "false"})):
            served = stack.start(name, [BUILD / "src/cli/patchcord", "serve",
                                        *args], {**env, **more})
            poll(lambda: "voice webhook" in served.output(), f"{name} serves")
            check(served.stop() == 0, served.output())


def an_option_is_named_as_it_was_given():
    code, _, err = run("serve", "--listen", "80", timeout=20)
    check(code == 2 and "--listen" in err and "ADDRESS:PORT" in err and
          "PATCHCORD_" not in err, f"exit {code}: {err}")


def a_secret_in_the_file_of_an_agent_is_told():
    with Stack() as stack:
        agent = stack.file("desk.toml", """name = "x"
greeting = "hello"
instructions = "be kind"
[[tools]]
name = "look"
description = "Looks."
url = "https://h.example/{day}?api_key=hunter2"
[[tools.arguments]]
name = "day"
[tools.headers]
X-Odd = "0123456789abcdef"
Accept = "application/json"
[[tools]]
name = "plain"
description = "Looks."
url = "https://h.example/rooms?sort=up"
""")
        words = (f"{agent}:7: the tool look has what looks like a secret in "
                 "its URL, https://h.example/{day}?api_key=***; a header can",
                 f"{agent}:11: the tool look has what looks like a secret in "
                 "its header X-Odd; a header can")
        config = stack.file("c.toml", f"""[call]
agent = "{agent}"
[store]
records = "sqlite::memory:"
[server]
listen = "127.0.0.1:0"
""")
        _, out, err = run("check", "--config", config)
        served = stack.start("serve", [BUILD / "src/cli/patchcord", "serve",
                                       "--config", config])
        poll(lambda: "voice webhook" in served.output(), "it serves")
        served.stop()
        for said in (out + err, served.output()):
            for word in words:
                check(word in said, f"{word!r} is not in {said!r}")
            check("hunter2" not in said and "0123456789abcdef" not in said and
                  "the tool plain" not in said, said)


def a_thread_on_the_way_to_the_caller_is_refused():
    for command in ("check", "serve"):
        for element in ("queue", "multiqueue"):
            with Stack() as stack:
                graph = stack.file(
                    "thread.launch", "twiliosrc ! mulawdec ! audioresample ! "
                    f"sphinxstt ! {element} ! agent ! espeaksrc ! "
                    "audioresample ! mulawenc ! twiliosink")
                config = stack.file("thread.toml",
                                    f'[call]\npipeline = "{graph}"\n')
                program = stack.start(command,
                                      [stack.build / "src/cli/patchcord",
                                       command, "--config", config])
                check(program.wait(20) != 0, "it passed")
                check(f"{element} stands on the way to twiliosink"
                      in program.output(), program.output())


def a_pipeline_that_cannot_hold_a_call_is_refused_with_the_reason():
    ears = "twiliosrc ! mulawdec ! audioresample ! sphinxstt"
    voice = "espeaksrc ! audioresample ! mulawenc ! twiliosink"
    for graph, reason in (
            ("twiliosrc ! mulawdec ! fakesink", "there is no agent"),
            (f"{ears} ! agent ! espeaksrc ! fakesink", "there is no twiliosink"),
            (f"{ears} ! agent ! fakesink  audiotestsrc ! mulawenc ! twiliosink",
             "what agent says does not come to twiliosink"),
            (f"twiliosrc colour=2 ! {ears[12:]} ! agent ! {voice}",
             'no property "colour"'),
            (f"{ears} ! agent ! nosuchvoice ! {voice}", "nosuchvoice")):
        with Stack() as stack:
            file = stack.file("odd.launch", graph)
            code, out, err = run("check", "--no-network",
                                 env={"PATCHCORD_CALL_PIPELINE": str(file)})
            check(code == 1 and reason in out + err, f"{graph}: {out} {err}")
            check("not installed" not in out + err or "nosuch" in graph,
                  f"{graph}: {out} {err}")


def a_voice_format_that_nobody_takes_is_refused():
    with Stack() as stack:
        for pipeline, refused in (("cloud-mulaw", True), ("cloud", False)):
            code, out, err = run(
                "check", "--no-network",
                env={"PATCHCORD_ELEVENLABS_OUTPUT_FORMAT": "pcm_16000",
                     "PATCHCORD_CALL_PIPELINE": pipeline,
                     "PATCHCORD_STORE_RECORDS": f"sqlite:{stack.folder}/c.db"})
            said = out + err
            check(("elevenlabs.output_format" in said) == refused,
                  f"{pipeline}: {said}")
            check(not refused or code == 1 and "audio/x-mulaw" in said, said)
        config = stack.file("c.toml", "[elevenlabs]\n"
                            'output_format = "pcm_16000"\n')
        own = (pathlib.Path(stack.source) / "pipelines/cloud-mulaw.launch"
               ).read_text().replace("elevenlabssrc",
                                     "elevenlabssrc output-format=pcm_16000")
        own = stack.file("own.launch", own)
        for args, env, words in (
                (["--config", config],
                 {"PATCHCORD_CALL_PIPELINE": "cloud-mulaw"},
                 f"{config}:2: elevenlabs.output_format: "),
                ([], {"PATCHCORD_CALL_PIPELINE": str(own)},
                 f"{own}: elevenlabssrc is to speak pcm_16000")):
            _, out, err = run("check", "--no-network", *args, env={
                "PATCHCORD_STORE_RECORDS": "sqlite::memory:", **env})
            check(words in out + err, f"{words} is not in {out} {err}")
            check("OPENAI_API_KEY" in out or args == [],
                  f"what else is missing is not told: {out}")


def what_is_installed_is_all_it_takes():
    """Staged as a package would be, and away from the checkout."""
    with Stack() as stack:
        done = subprocess.run(
            ["meson", "install", "-C", BUILD, "--no-rebuild", "--destdir",
             stack.folder / "stage"], capture_output=True, text=True)
        check(done.returncode == 0, done.stdout + done.stderr)

        def only(pattern):
            found = list((stack.folder / "stage").rglob(pattern))
            check(len(found) == 1, f"{pattern}: {found}")
            return found[0]
        plugins = only("libgstpatchcordtwilio.so").parent
        check(plugins.name == "gstreamer-1.0", str(plugins))
        data = only("room-booking.toml").parent.parent
        for name in ("patchcord.toml", "pipelines/offline.launch",
                     "pipelines/cloud.launch"):
            check((data / name).is_file(), f"there is no {data / name}")
        env = {**os.environ, "PATCHCORD_DATA_DIR": str(data),
               "LD_LIBRARY_PATH": str(only("libpatchcord-*.so").parent),
               "GST_PLUGIN_PATH_1_0": os.pathsep.join(
                   [str(plugins), str(BUILD / "tests/gst-system")]),
               "GST_REGISTRY_1_0": str(stack.folder / "registry.bin")}
        del env["PATCHCORD_PIPELINE_DIR"]
        done = subprocess.run(
            [only("bin/patchcord"), "test", data / "scenarios/booking.toml"],
            capture_output=True, text=True, env=env, cwd=stack.folder)
        check(done.returncode == 0, done.stdout + done.stderr)


def check_says_what_is_missing():
    code, out, err = run("check")
    check(code == 1 and "TWILIO_AUTH_TOKEN" in out + err,
          f"exit {code}: {out}{err}")


def looking_leaves_no_file_behind():
    with Stack() as stack:
        records = stack.folder / "looked.db"
        env = {**stack.env, "PATCHCORD_STORE_RECORDS": f"sqlite:{records}",
               "PATCHCORD_SERVER_LISTEN": "127.0.0.1:0"}
        code, out, err = run("check", "--no-network", env=env)
        check("ok    records" in out, f"{out} {err}")
        code, out, err = run("serve", "--agent", "nobody", env=env, timeout=20)
        check(code == 1 and "call.agent" in err, f"exit {code}: {err}")
        left = [file.name for file in stack.folder.glob("looked*")]
        check(not left, f"left behind: {left}")
        records.write_bytes(b"")
        run("check", "--no-network", env=env)
        check(records.exists(), "a file that was there is gone")


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


def a_certificate_that_is_not_trusted_is_told():
    with Stack() as stack:
        both = stack.folder / "both.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
             "-days", "1", "-subj", "/CN=localhost", "-keyout", both, "-out",
             stack.folder / "own.pem"], check=True, capture_output=True)
        both.write_text(both.read_text() +
                        (stack.folder / "own.pem").read_text())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both)
        server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
        server.handle_error = lambda *_: None  # the client hangs up
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"https://localhost:{server.server_port}"
        code, out, err = run("check", env={
            "OPENAI_BASE_URL": url + "/v1", "OPENAI_API_KEY": "sk-test",
            "ELEVENLABS_API_KEY": "el-test",
            "PATCHCORD_ELEVENLABS_BASE_URL": url,
            "PATCHCORD_CALL_PIPELINE": "cloud",
            "PATCHCORD_STORE_RECORDS": f"sqlite:{stack.folder}/c.db"})
        server.shutdown()
        said = out + err
        for path in ("/v1/models is not trusted", "certificate"):
            check(said.count(path) >= 2, f"exit {code}: {said}")
        check(code == 1, f"exit {code}: {said}")


if __name__ == "__main__":
    run_tests([
        help_and_version_are_there,
        a_misspelt_word_is_named_with_what_was_meant,
        a_bad_configuration_is_refused_naming_file_line_and_key,
        a_bad_agent_is_refused_naming_file_and_line,
        a_voice_that_is_not_there_is_refused_naming_file_and_key,
        all_that_turns_callers_away_is_told_at_once_with_its_line,
        a_model_that_has_no_key_is_refused,
        a_key_in_a_graph_is_its_element_s_alone,
        a_server_that_wants_no_key_is_asked,
        a_server_that_would_turn_all_calls_away_does_not_start,
        an_option_is_named_as_it_was_given,
        a_graph_is_asked_and_not_its_text,
        a_secret_in_the_file_of_an_agent_is_told,
        a_thread_on_the_way_to_the_caller_is_refused,
        a_pipeline_that_cannot_hold_a_call_is_refused_with_the_reason,
        a_voice_format_that_nobody_takes_is_refused,
        what_is_installed_is_all_it_takes,
        check_says_what_is_missing,
        looking_leaves_no_file_behind,
        check_asks_the_providers,
        a_certificate_that_is_not_trusted_is_told,
    ])
