# SPDX-License-Identifier: LGPL-2.1-or-later
"""Twilio's REST API as far as calls are placed and changed with it. It rings
with the simulated phone, and is strict about credentials and fields."""

import base64
import contextlib
import http.server
import json
import subprocess
import threading
import urllib.parse
import uuid

from stack import ACCOUNT, TOKEN, Failure, json_in

CREATE = {"To", "From", "Url", "Method", "Timeout", "StatusCallback",
          "StatusCallbackMethod", "StatusCallbackEvent", "MachineDetection",
          "MachineDetectionTimeout", "AsyncAmd", "AsyncAmdStatusCallback",
          "AsyncAmdStatusCallbackMethod"}
UPDATE = {"Status", "Twiml", "Url", "Method"}


class Rest:
    """`phone`: more options of the phone that it rings with; `answer_when`: an
    event before which an update that was done is not answered."""

    def __init__(self, stack, phone=(), refuse=None, updates=True, gone=False,
                 answer_when=None):
        self.stack, self.phone, self.refuse = stack, list(phone), refuse
        self.answer_when = answer_when
        self.gone = gone  # callers hang up while REST is asked
        self.updates = updates  # else they are refused
        self.requests = []  # (path, fields)
        self.calls = {}  # SID: the phone's process
        rest = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = rest.serve(
                    self.path, self.headers.get("Authorization", ""),
                    self.headers.get("Content-Type", ""), body.decode())
                text = json.dumps(answer).encode()
                with contextlib.suppress(BrokenPipeError):  # nobody waits
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        stack.exit.callback(self.close)
        stack.fakes_url = self.url

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        for process in self.calls.values():
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                pipe.close()

    def error(self, status, code, message):
        return status, {"code": code, "message": message, "status": status,
                        "more_info": f"https://www.twilio.com/docs/errors/{code}"}

    def serve(self, path, authorization, content_type, body):
        wanted = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        base = f"/2010-04-01/Accounts/{ACCOUNT}/Calls"
        pairs = urllib.parse.parse_qsl(body, keep_blank_values=True)
        fields = dict(pairs)
        self.requests.append((path, pairs))
        if authorization != f"Basic {wanted}":
            return self.error(401, 20003, "Authenticate")
        if not content_type.startswith("application/x-www-form-urlencoded"):
            return self.error(400, 20001, "not a form")
        if path == base + ".json":
            return self.create(fields, pairs)
        sid = path.removeprefix(base + "/").removesuffix(".json")
        if sid not in self.calls:
            return self.error(404, 20404, "no such call")
        if not self.updates or not set(fields) <= UPDATE:
            return self.error(400, 20001, f"unknown fields in {fields}")
        return self.update(sid, fields)

    def create(self, fields, pairs):
        if self.refuse:
            return self.error(*self.refuse)
        if not set(fields) <= CREATE or not {"To", "From", "Url"} <= set(fields):
            return self.error(400, 21205, f"wrong fields: {sorted(fields)}")
        events = [v for k, v in pairs if k == "StatusCallbackEvent"]
        if not set(events) <= {"initiated", "ringing", "answered", "completed"}:
            return self.error(400, 21626, f"wrong events: {events}")
        sid = "CA" + uuid.uuid4().hex
        args = ["--placed", "--call-sid", sid, "--from", fields["From"],
                "--to", fields["To"]]
        if "StatusCallback" in fields:
            args += ["--status-callback", fields["StatusCallback"]]
        if fields.get("MachineDetection") == "DetectMessageEnd" and \
                fields.get("AsyncAmd") == "true":
            args += ["--amd-callback", fields["AsyncAmdStatusCallback"]]
        self.ring(sid, fields["Url"], args)
        return 201, {"sid": sid, "account_sid": ACCOUNT, "status": "queued"}

    def ring(self, sid, url, args):
        self.calls[sid] = subprocess.Popen(
            [str(a) for a in [self.stack.build / "src/cli/patchcord", "call",
                              url, "--json", "--no-live", "--account-sid",
                              ACCOUNT, "--updates", *args, *self.phone]],
            env=self.stack.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)

    def call_in(self, *args):
        """A call that comes in, and that REST can change: its SID."""
        sid = "CA" + uuid.uuid4().hex
        self.ring(sid, self.stack.voice_url(), ["--call-sid", sid, *args])
        return sid

    def update(self, sid, fields):
        line = "completed" if fields.get("Status") == "completed" else \
            "twiml " + fields["Twiml"].replace("\n", " ")
        if len(fields.get("Twiml", "")) > 4000:
            return self.error(400, 21627, "Twiml is too long")
        process = self.calls[sid]
        if self.gone:
            process.terminate()
            process.wait()
            return self.error(400, 21220, "Call is not in-progress.")
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
        except OSError:
            return self.error(400, 21220, "Call is not in-progress.")
        if self.answer_when:
            self.answer_when.wait(60)
        return 200, {"sid": sid, "status": "in-progress"}

    def summary(self, sid=None, timeout=60):
        """(exit code, the phone's summary) of a call, when it is over."""
        process = self.calls[sid] if sid else next(iter(self.calls.values()))
        try:
            # communicate() would close the way in, and REST may still need it.
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failure("the phone's call does not end") from None
        return code, json_in(process.stdout.read())
