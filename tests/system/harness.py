"""What every system test needs: a server of the build tree, customers, HTTP, polling, a tally.

Python 3.11, standard library only. Everything listens on 127.0.0.1:0, lives in a temporary folder
and is ended by its process id.
"""
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import traceback
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("PLAYHEAD_BINARY", str(ROOT / "build/release/bin/playhead"))
SHARED_DATA = pathlib.Path(
    os.environ.get("PLAYHEAD_SHARED_DATA", ROOT.parent / "shared" / "data"))
CUSTOMER = 900100200
PLAN_LEVEL = 6831
READY_SECONDS = 60


class Tally:
    """Counts checks and prints each as a line; `finish` prints the closing one."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.begun = time.monotonic()

    def check(self, name, good, detail=""):
        if good:
            self.passed += 1
        else:
            self.failed += 1
        text = f": {detail}" if detail and not good else ""
        print(f"{'ok  ' if good else 'FAIL'} {name}{text}", flush=True)
        return good

    def equal(self, name, actual, expected):
        return self.check(name, actual == expected, f"{actual!r}, expected {expected!r}")

    def near(self, name, actual, expected, tolerance):
        good = actual is not None and abs(actual - expected) <= tolerance
        return self.check(name, good, f"{actual}, expected {expected} ± {tolerance}")

    def skip(self, name, why):
        self.skipped += 1
        print(f"skip {name}: {why}", flush=True)

    def finish(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        print(f"{time.monotonic() - self.begun:.0f} s")
        print(f"{self.passed} passed, {self.failed} failed{skipped}", flush=True)
        return 0 if self.failed == 0 else 1


def run_cases(cases):
    """Runs functions that take a Tally; what one throws is one failure. The exit code."""
    tally = Tally()
    for case in cases:
        print(f"-- {case.__name__}", flush=True)
        try:
            case(tally)
        except Exception as error:  # a test must not hide the ones after it
            traceback.print_exc()
            tally.check(case.__name__, False, f"{type(error).__name__}: {error}")
    return tally.finish()


@contextlib.contextmanager
def folder(prefix="playhead-test-"):
    path = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def playhead(*arguments, cwd=None, check=True, timeout=60):
    """Runs one playhead command to its end."""
    done = subprocess.run([BINARY, *map(str, arguments)], cwd=cwd, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=timeout)
    if check and done.returncode != 0:
        raise RuntimeError(f"playhead {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return done


def add_tenant(data_dir, customer=CUSTOMER, plan_level=PLAN_LEVEL, **options):
    more = [word for key, value in options.items()
            for word in (f"--{key.replace('_', '-')}", value)]
    playhead("tenant", "add", "--data-dir", data_dir, "--customer", customer, "--plan-level",
             plan_level, "--name", f"Cap {customer}", *more)


def add_key(data_dir, customer=CUSTOMER, scope="read"):
    return playhead("apikey", "add", "--data-dir", data_dir, "--customer", customer, "--scope",
                    scope).stdout.strip()


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    def json(self):
        return json.loads(self.body)

    @property
    def type(self):
        return self.headers.get("content-type", "").split(";")[0]

    def is_problem(self, *statuses):
        if self.status not in statuses or self.type != "application/problem+json":
            return False
        problem = self.json()
        return problem.get("status") == self.status and bool(problem.get("title"))

    def __repr__(self):
        return f"{self.status} {self.type} {self.body[:300]!r}"


def send(url, method="GET", body=None, headers=None, timeout=30):
    """One request on a connection of its own."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body=body, headers=headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.getheaders(), response.read())
    finally:
        connection.close()


def wait_until(predicate, seconds, what):
    """Polls until the predicate gives something true, which is returned."""
    deadline = time.monotonic() + seconds
    while True:
        found = predicate()
        if found:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


class Server:
    """`playhead serve` on a data directory; a context manager that ends it in any case."""

    def __init__(self, data_dir, *extra, cwd=None, environment=None, wrapper=(),
                 listen="127.0.0.1:0", durability="os"):
        # Suites about answers do not wait for the disk (3 ms for a beacon on a bad day); those about
        # what outlives a power cut ask for "fsync", the server's default.
        self.data_dir = data_dir
        self.key = None
        self.log = []
        self.begun = time.monotonic()
        self.process = subprocess.Popen(
            [*wrapper, BINARY, "serve", "--data-dir", str(data_dir), "--listen", listen,
             "--ingest-durability", durability, *map(str, extra)],
            cwd=cwd, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.drain = threading.Thread(target=self._read_log, daemon=True)
        self.drain.start()
        self.url = self._read_ready()

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line.rstrip())
            del self.log[:-2000]

    def _read_ready(self):
        watchdog = threading.Timer(READY_SECONDS, self.process.kill)
        watchdog.start()
        self.ready_line = self.process.stdout.readline().strip()
        watchdog.cancel()
        for word in self.ready_line.split():
            if word.startswith("http://"):
                return word
        self.process.wait(10)
        self.drain.join(2)
        raise RuntimeError(f"no ready line; exit {self.process.returncode}: {self.log[-5:]}")

    @property
    def pid(self):
        return self.process.pid

    @property
    def port(self):
        return urllib.parse.urlsplit(self.url).port

    def stop(self, seconds=15):
        """SIGTERM; the exit code and how long it took."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        return code, time.monotonic() - begun

    def kill(self):
        self.process.kill()
        self.process.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
        self.process.stdout.close()
        self.drain.join(2)
        self.process.stderr.close()

    def send(self, target, method="GET", body=None, headers=None, timeout=30):
        return send(self.url + target, method, body, headers, timeout)

    def api(self, target, key=None):
        """GET with an API key; the JSON of a 200, else an error."""
        answer = self.send(target, headers={"X-API-Key": key or self.key})
        if answer.status != 200:
            raise RuntimeError(f"GET {target}: {answer!r}")
        return answer.json()

    def session(self, session_id, customer=CUSTOMER):
        """The session's detail, or None while there is none."""
        target = f"/mm-apis/session/{customer}?sessionid={urllib.parse.quote(session_id)}"
        answer = self.send(target, headers={"X-API-Key": self.key})
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise RuntimeError(f"GET {target}: {answer!r}")
        return answer.json()

    def metrics(self):
        """The samples of /metrics by name with labels."""
        samples = {}
        for line in self.send("/metrics").body.decode().splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                if name in samples:
                    raise RuntimeError(f"/metrics has {name} twice")
                samples[name] = float(value)
        return samples

    def resident_kib(self):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return 0


class QuietHandler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Loopback:
    """A server of the test's own on loopback, for as long as the `with` lasts."""

    def __init__(self, handler):
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


@contextlib.contextmanager
def served_customer(*extra, environment=None, tenant=None, wrapper=()):
    """A server in a fresh folder with one customer and a reading key in `server.key`."""
    with folder() as work:
        data_dir = work / "data"
        add_tenant(data_dir, **(tenant or {}))
        key = add_key(data_dir)
        with Server(data_dir, *extra, environment=environment, wrapper=wrapper) as server:
            server.key = key
            yield server


def smartsight_event(session_id, event, pid, time_ms, customer=CUSTOMER, **fields):
    """A SmartSight beacon in long keys with one playback event; `desc`, `latency` … as `fields`."""
    information = {"event": event, "id": event, "pbTime": 0, **fields}
    return json.dumps({
        "version": "2.0.0", "timestamp": time_ms, "pbTime": 0, "playDur": 0,
        "qubitData": [{
            "streamID": {"custId": customer, "dataSrc": "Player", "sessionId": session_id,
                         "playerName": "Test", "pId": pid},
            "pbEventInfo": information}]}).encode()
