"""One daemon process at a time on one state folder, and its control socket."""
import http.client
import json
import os
import signal
import socket
import subprocess
import time

# src/store/crash_point.h; a name the daemon does not know ends it with exit 2, which is reported.
CRASH_POINTS = ["before_begin", "after_begin", "after_lease", "after_journal", "before_commit",
                "after_commit", "before_callback", "after_callback"]
START_LIMIT = 30.0  # seconds; only a hang takes so long
ANSWER_LIMIT = 20.0


class Unanswered(Exception):
    """The connection ended before an answer came: whether it happened is unknown."""


class NotSent(Exception):
    """No connection was made, so nothing can have happened."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=ANSWER_LIMIT)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(ANSWER_LIMIT)
        self.sock.connect(self.path)


class Api:
    """A keep-alive connection to the control socket; connects again when it broke."""

    def __init__(self, path):
        self.path = path
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def call(self, method, target, body=None):
        """-> (status, document)."""
        if self.connection is None:
            self.connection = _UnixConnection(self.path)
            try:
                self.connection.connect()
            except OSError as error:
                self.connection = None
                raise NotSent(str(error)) from error
        try:
            text = json.dumps(body) if body is not None else None
            headers = {"Content-Type": "application/json"} if text else {}
            self.connection.request(method, target, text, headers)
            response = self.connection.getresponse()
            return response.status, json.loads(response.read() or b"null")
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise Unanswered(str(error)) from error


class Daemon:
    def __init__(self, options, folder):
        self.options = options
        self.state = os.path.join(folder, "state")
        self.runtime = os.path.join(folder, "run")
        self.log = os.path.join(folder, "daemon.log")
        self.socket = os.path.join(self.runtime, "control", "api.sock")
        self.process = None

    def command(self, crash):
        beside = os.path.dirname(os.path.abspath(self.options.daemon))
        nvml = self.options.nvml or os.path.join(beside, "sim", "libnvidia-ml.so.1")
        words = [self.options.daemon, "--simulated", "--nvml", nvml, "--listen", "off",
                 "--state-dir", self.state, "--runtime-dir", self.runtime]
        sensor = os.path.join(beside, "estiva-sensor")
        if os.path.exists(sensor):
            words += ["--sensor", sensor]
        if self.options.broken:
            words += ["--broken", self.options.broken]
        if crash:
            words += ["--test-crash-point", crash]
        return words

    def start(self, crash=None):
        """Returns once it answers; False when it died before that."""
        environment = dict(os.environ)
        if self.options.scenario:
            environment["ESTIVA_SIM_SCENARIO"] = os.path.abspath(self.options.scenario)
        with open(self.log, "ab") as log:
            # Its own session: the sensor it starts can be swept with it at the very end.
            self.process = subprocess.Popen(self.command(crash), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env=environment,
                                            start_new_session=True)
        end = time.monotonic() + START_LIMIT
        while time.monotonic() < end:
            if self.process.poll() is not None:
                return False
            api = Api(self.socket)
            try:
                if api.call("GET", "/healthz")[0] == 200:
                    return True
            except (NotSent, Unanswered):
                time.sleep(0.005)
            finally:
                api.close()
        self.kill()
        raise RuntimeError(f"the daemon did not answer within {START_LIMIT:.0f} s\n{self.tail()}")

    def died_by_kill(self, limit):
        """Waits for it to end; whether SIGKILL ended it. None: it still runs."""
        try:
            return self.process.wait(limit) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            return None

    def kill(self):
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def sweep(self):
        """Ends what the daemon may have left in its session."""
        if self.process is None:
            return
        self.kill()
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def leases(self):
        api = Api(self.socket)
        try:
            status, document = api.call("GET", "/api/v1/leases")
        finally:
            api.close()
        if status != 200:
            raise RuntimeError(f"GET /api/v1/leases answered {status}: {document}")
        return {lease["model"]: lease for lease in document["leases"]}

    def tail(self):
        with open(self.log, "rb") as log:
            return log.read()[-2000:].decode(errors="replace")
