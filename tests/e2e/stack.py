# SPDX-License-Identifier: LGPL-2.1-or-later
"""Starts the real programs for end-to-end tests and benchmarks: the fakes of the
providers, `patchcord serve`, the simulated phone. Only Python's own library."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.request

SOURCE = pathlib.Path(__file__).resolve().parents[2]


def set_environment():
    """As tests/meson.build has it, where Meson did not run this: for a build at
    PATCHCORD_BUILD_ROOT, else the one that was linked last."""
    env = os.environ
    if "PATCHCORD_BUILD_ROOT" not in env:
        built = sorted(SOURCE.glob("build/*/src/cli/patchcord"),
                       key=lambda path: path.stat().st_mtime)
        if not built:
            sys.exit("PATCHCORD_BUILD_ROOT is not set, and there is no build "
                     f"below {SOURCE / 'build'}")
        env["PATCHCORD_BUILD_ROOT"] = str(built[-1].parents[2])
    build = pathlib.Path(env["PATCHCORD_BUILD_ROOT"]).resolve()
    env.setdefault("PATCHCORD_SOURCE_ROOT", str(SOURCE))
    env.setdefault("PATCHCORD_DATA_DIR", str(SOURCE / "data"))
    env.setdefault("PATCHCORD_PIPELINE_DIR", str(SOURCE / "pipelines"))
    if "GST_PLUGIN_PATH_1_0" not in env and "MESON_DEVENV" not in env:
        env["GST_PLUGIN_PATH_1_0"] = (f"{build / 'plugins'}:"
                                      f"{build / 'tests/gst-system'}")
        env["GST_PLUGIN_SYSTEM_PATH_1_0"] = ""
        env["GST_REGISTRY_1_0"] = str(build / "tests/registry.bin")
        env["GST_REGISTRY_FORK"] = "no"


set_environment()

TOKEN = "0123456789abcdef0123456789abcdef"
ACCOUNT = "AC00000000000000000000000000000001"
START_TIMEOUT = 30.0


class Failure(Exception):
    """What did not hold, in words."""


def check(condition, words):
    if not condition:
        raise Failure(words)


def poll(condition, what, timeout=START_TIMEOUT, interval=0.02):
    """Waits for something outside of this process that tells nobody."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"{what}: not within {timeout:g} s")
        time.sleep(interval)


def get(url, headers=None, timeout=10):
    """(status, body) of a GET; any status."""
    request = urllib.request.Request(url, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Process:
    def __init__(self, name, args, env=None, folder=None):
        self.name = name
        self.log_path = pathlib.Path(folder) / f"{name}.log"
        self.log = open(self.log_path, "wb")
        self.process = subprocess.Popen(
            [str(a) for a in args], env=env, stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=subprocess.STDOUT)

    @property
    def pid(self):
        return self.process.pid

    def output(self):
        return self.log_path.read_text(errors="replace")

    def wait(self, timeout):
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} did not end within {timeout:g} s\n"
                          + self.output()[-4000:]) from None

    def stop(self, sig=signal.SIGTERM, timeout=20):
        if self.process.poll() is None:
            self.process.send_signal(sig)
        return self.wait(timeout)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()

    # --- what the kernel knows of it ---
    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text()
        fields = fields.rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def thread_names(self):
        return sorted(path.read_text().strip() for path in
                      pathlib.Path(f"/proc/{self.pid}/task").glob("*/comm"))

    def fds(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory_kb(self):
        """Private memory that was written to: code is not a call's, and whether
        another process has the same pages mapped is chance."""
        total = 0
        for line in open(f"/proc/{self.pid}/smaps_rollup"):
            if line.startswith("Private_Dirty:"):
                total += int(line.split()[1])
        return total


class Stack:
    """A temporary folder and the processes in it."""

    def __init__(self, build=None):
        self.build = pathlib.Path(
            build or os.environ["PATCHCORD_BUILD_ROOT"]).resolve()
        self.source = pathlib.Path(os.environ["PATCHCORD_SOURCE_ROOT"])
        self.exit = contextlib.ExitStack()
        self.folder = pathlib.Path(self.exit.enter_context(
            tempfile.TemporaryDirectory(prefix="patchcord-")))
        self.processes = []
        self.env = dict(os.environ)
        for name in list(self.env):
            if name.startswith(("TWILIO_", "OPENAI_", "ELEVENLABS_")):
                del self.env[name]
        self.env["TWILIO_AUTH_TOKEN"] = TOKEN
        self.fakes = self.server = None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if error is not None:
            print(comment("\n".join(
                f"--- {process.name}, the end of what it said:\n"
                + process.output()[-6000:] for process in self.processes)),
                flush=True)
        for process in reversed(self.processes):
            process.kill()
        self.exit.close()

    def start(self, name, args, env=None):
        process = Process(name, args, {**self.env, **(env or {})}, self.folder)
        self.processes.append(process)
        return process

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def start_fakes(self, script):
        self.fakes, self.fakes_url = self.start_provider("fakes", script)
        return self.fakes_url

    def start_provider(self, name, script):
        """Another process of fakes: (process, URL)."""
        path = self.file(f"{name}.json", json.dumps(script))
        fakes = self.start(name, [
            self.build / "tests/fakes/patchcord-fakes", "--port", "0",
            "--script", path])

        def listening():
            check(fakes.process.poll() is None,
                  f"{name} ended: " + fakes.output())
            for line in fakes.output().splitlines():
                if line.startswith("listening "):
                    return int(line.split()[1])
            return None
        return fakes, f"http://127.0.0.1:{poll(listening, name)}"

    def fake_stats(self):
        return json.loads(get(self.fakes_url + "/fake/stats")[1])

    def start_server(self, pipeline="offline", agent="room-booking",
                     openai_key="sk-test", elevenlabs_key="el-test",
                     max_calls=0, extra="", twilio="", openai="",
                     elevenlabs="", env=None, name="serve",
                     elevenlabs_url=None):
        port = free_port()
        fakes = getattr(self, "fakes_url", "http://127.0.0.1:1")
        config = self.file(f"{name}.toml", f"""
[server]
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}"
max_calls = {max_calls}
[twilio]
account_sid = "{ACCOUNT}"
api_url = "{fakes}"
{twilio}
[openai]
api_key = "{openai_key}"
base_url = "{fakes}/v1"
{openai}
[elevenlabs]
api_key = "{elevenlabs_key}"
base_url = "{elevenlabs_url or fakes}"
{elevenlabs}
[call]
pipeline = "{pipeline}"
agent = "{agent}"
[store]
records = "sqlite:{self.folder}/{name}.db"
{extra}
""")
        self.server = self.start(name, [
            self.build / "src/cli/patchcord", "serve", "--config", config],
            env)
        self.url = f"http://127.0.0.1:{port}"

        def ready():
            check(self.server.process.poll() is None,
                  f"{name} ended: " + self.server.output())
            try:
                return get(self.url + "/readyz")[0] == 200
            except OSError:
                return False
        poll(ready, f"{name} ready")
        return self.url

    def voice_url(self):
        return self.url + "/twilio/webhooks/voice"

    def call_args(self, *args):
        return [self.build / "src/cli/patchcord", "call", self.voice_url(),
                "--account-sid", ACCOUNT, *args]

    def call(self, *args, timeout=120, env=None, name="phone"):
        """Runs the phone to its end: (exit code, its JSON summary or None)."""
        process = self.start(
            name, self.call_args("--json", "--no-live", *args), env)
        code = process.wait(timeout)
        return code, json_in(process.output())

    def calls(self):
        """The newest calls, without their turns."""
        return json.loads(get(self.url + "/api/calls")[1])["calls"]

    def record(self, sid=None):
        """The record of a call; of the newest one by default."""
        if sid is None:
            listed = self.calls()
            check(listed, "there is no record")
            sid = listed[0]["call_sid"]
        status, body = get(self.url + f"/api/calls/{sid}")
        check(status == 200, f"no record of {sid}: {status} {body}")
        return json.loads(body)

    def ended_record(self, sid=None):
        def ended():
            record = self.record(sid)
            return record if record["ended_ms"] else None
        return poll(ended, "the record's end", 15)


def json_in(output):
    """The JSON object on a program's output, behind whatever else it said."""
    start = output.find("{\n") if "{\n" in output else output.find("{")
    if start < 0:
        return None
    try:
        return json.JSONDecoder().raw_decode(output[start:])[0]
    except ValueError:
        return None


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def comment(text):
    """Lines of a TAP comment."""
    return "\n".join("# " + line for line in text.splitlines())


def run_test(test):
    """(whether it held, its line or lines of TAP behind the number)"""
    name = test.__name__.replace("_", " ")
    started = time.monotonic()
    try:
        skip = test()
    except Exception as error:  # noqa: BLE001 - a test's failure is told
        words = str(error) if isinstance(error, Failure) else \
            traceback.format_exc()
        return False, name + "\n" + comment(words or type(error).__name__)
    directive = f" # SKIP {skip}" if isinstance(skip, str) else ""
    return True, f"{name} ({time.monotonic() - started:.1f} s){directive}"


def run_tests(tests, jobs=4):
    """TAP for Meson. Arguments choose tests by name. A call takes its time and
    little else, so some run side by side; each has a stack of its own."""
    chosen = [t for t in tests if not sys.argv[1:] or t.__name__ in sys.argv[1:]]
    print(f"1..{len(chosen)}", flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for number, (held, words) in enumerate(pool.map(run_test, chosen), 1):
            failed += not held
            print(f"{'ok' if held else 'not ok'} {number} - {words}",
                  flush=True)
    sys.exit(1 if failed else 0)
