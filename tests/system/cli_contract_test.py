#!/usr/bin/env python3
"""The command line as documented: exact commands, ready line, stopping, refusals, tokens, keys."""
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import harness
import tokens
from harness import BINARY, CUSTOMER, PLAN_LEVEL, Server, playhead


def prepare(data_dir, cwd=None):
    """The documented commands, to the letter; gives the API key."""
    playhead("tenant", "add", "--data-dir", data_dir, "--customer", "900100200", "--plan-level",
             "6831", "--name", "Cap", cwd=cwd)
    playhead("user", "add", "--data-dir", data_dir, "--customer", "900100200", "--email",
             "u@example.test", "--password", "secret", cwd=cwd)
    return playhead("apikey", "add", "--data-dir", data_dir, "--customer", "900100200", "--scope",
                    "read", cwd=cwd)


def commands_and_ready_line(tally):
    with harness.folder() as work:
        added = prepare("data", cwd=work)
        tally.check("apikey add prints the key and nothing else",
                    re.fullmatch(r"ph_[0-9a-f]{12}_[A-Za-z0-9_-]{43}\n", added.stdout) is not None,
                    added.stdout)
        tally.check("the data directory of a relative path is below the working directory",
                    (work / "data" / "directory.sqlite").exists())
        for data_dir in ("data", "./data/", str(work / "data")):
            with Server(data_dir, cwd=work) as server:
                server.key = added.stdout.strip()
                tally.check(f"ready line with --data-dir {data_dir!r}",
                            server.url.startswith("http://127.0.0.1:"), server.ready_line)
                tally.equal("a query is answered",
                            server.api(f"/mm-apis/metricquery/{CUSTOMER}?period=last=1h"
                                       "&metrics=attempts")["totalcount"], 1)
                code, seconds = server.stop()
                tally.equal("SIGTERM: exit code 0", code, 0)
                tally.check("SIGTERM: within 5 s", seconds < 5, f"{seconds:.1f} s")
                rest = server.process.stdout.read()
                tally.equal("the ready line is all of stdout", rest, "")


def fixed_port_and_files(tally):
    with harness.folder() as work:
        prepare(work / "data")
        (work / "playhead.yaml").write_text("log_level: warn\ningest:\n  linger_ms: 4000\n")
        geo = harness.SHARED_DATA / "maxmind" / "GeoIP2-City-Test.mmdb"
        extra = ["--config", work / "playhead.yaml"]
        if geo.exists():
            extra += ["--geo-db", geo]
        with Server(work / "data", *extra) as server:
            tally.equal("serve with --config and --geo-db", server.send("/healthz").status, 200)
            tally.equal("readyz", server.send("/readyz").status, 200)
            port = server.port
        with Server(work / "data", listen=f"127.0.0.1:{port}") as server:
            tally.equal("--listen with a port takes that port", server.port, port)
        printed = playhead("serve", "--data-dir", work / "data", "--config",
                           work / "playhead.yaml", "--print-config").stdout
        tally.check("--print-config names the file and line",
                    re.search(r'linger_ms: "4000".*playhead\.yaml:3', printed) is not None)


def refusal(tally, name, words, *arguments, cwd=None):
    done = playhead(*arguments, cwd=cwd, check=False)
    lines = [line for line in done.stderr.splitlines() if line.startswith("playhead: ")]
    tally.check(f"{name}: one clear line and a non-zero exit",
                done.returncode not in (0, -6, -11) and len(lines) == 1 and words in lines[0],
                f"exit {done.returncode}, stderr {done.stderr[-400:]!r}")


def refusals_of_directories(tally):
    with harness.folder() as work:
        data = work / "data"
        prepare(data)
        with Server(data):
            refusal(tally, "directory in use", "in use", "serve", "--data-dir", data, "--listen",
                    "127.0.0.1:0")
            refusal(tally, "simulate into a directory in use", "another process", "simulate", "--data-dir",
                    data, "--sessions", 1)
            tally.equal("the first process goes on: a tenant can still be added",
                        playhead("tenant", "add", "--data-dir", data, "--customer", 5).returncode,
                        0)
        (work / "file").write_text("in the way")
        refusal(tally, "a file in the way", "data directory", "serve", "--data-dir", work / "file")
        refusal(tally, "a file in the way of the parent", "data directory", "serve", "--data-dir",
                work / "file" / "data")
        mounted = work / "read-only"
        mounted.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", mounted],
                          capture_output=True).returncode == 0:
            try:
                refusal(tally, "read-only directory", "cannot be written", "serve", "--data-dir",
                        mounted)
                refusal(tally, "below a read-only directory", "data directory", "serve",
                        "--data-dir", mounted / "data")
            finally:
                subprocess.run(["umount", mounted], check=True)
        else:
            tally.skip("read-only directory", "this machine does not permit mounts")
        refusal(tally, "newer layout", "newer", *newer(data, "layout"))
        refusal(tally, "newer directory.sqlite", "newer", *newer(data, "directory"))
        refusal(tally, "newer store", "newer", *newer(data, "store"))


def newer(data, what):
    """Makes a part of a stopped data directory look newer, one part at a time."""
    if what == "layout":
        (data / "LAYOUT").write_text("99\n")
    else:
        (data / "LAYOUT").write_text("1\n")
    with sqlite3.connect(data / "directory.sqlite") as database:
        if what == "directory":
            newer.version = database.execute("PRAGMA user_version").fetchone()[0]
            database.execute("PRAGMA user_version=99")
        elif what == "store":
            database.execute(f"PRAGMA user_version={newer.version}")
    if what == "store":
        playhead_engine_marks_newer(data)
    return "serve", "--data-dir", data, "--listen", "127.0.0.1:0"


def playhead_engine_marks_newer(data):
    """Writes a row of a future migration straight into the engine's table."""
    script = pathlib.Path(__file__).with_name("engine_statement.py")
    subprocess.run([sys.executable, script, data / "store",
                    "INSERT INTO schema_migrations SELECT 9999, 'future', now('UTC')"],
                   check=True, capture_output=True, timeout=60)


def wrong_arguments(tally):
    with harness.folder() as work:
        for name, arguments in {
            "unknown command": ["serf"],
            "unknown flag": ["serve", "--lisen", "127.0.0.1:0"],
            "bad listen address": ["serve", "--data-dir", work / "d", "--listen", "nowhere"],
            "customer that is no number": ["tenant", "add", "--data-dir", work / "d", "--customer",
                                           "acme"],
            "negative customer": ["tenant", "add", "--data-dir", work / "d", "--customer", "-4"],
            "user of no customer": ["user", "add", "--data-dir", work / "d", "--customer", "77",
                                    "--email", "a@b.test", "--password", "secret"],
            "unknown scope": ["apikey", "add", "--data-dir", work / "d", "--customer", "77",
                              "--scope", "everything"],
            "missing geo file": ["serve", "--data-dir", work / "d", "--geo-db", work / "no.mmdb"],
            "unknown key in the file": ["serve", "--data-dir", work / "d", "--config",
                                        work / "bad.yaml"],
        }.items():
            (work / "bad.yaml").write_text("lisen: 127.0.0.1:0\n")
            done = playhead(*arguments, check=False)
            tally.check(f"{name} is refused in words",
                        0 < done.returncode < 128 and 0 < len((done.stderr + done.stdout)) < 1000,
                        f"exit {done.returncode}: {done.stderr[-300:]!r}")


def replay_and_simulate(tally):
    captures = sorted((harness.SHARED_DATA / "captures").glob("smartsight/*.ndjson"))
    with harness.folder() as work:
        data = work / "data"
        key = prepare(data).stdout.strip()
        with Server(data) as server:
            server.key = key
            if captures:
                done = playhead("replay", "--to", server.url, "--speed", "0", captures[0],
                                captures[-1])
                tally.check("replay of several files", "requests sent" in done.stdout, done.stdout)
                begun = time.monotonic()
                playhead("replay", "--to", server.url, "--speed", "20", captures[0])
                passed = time.monotonic() - begun
                tally.check("replay --speed 20 keeps the pace", 0.5 < passed < 20,
                            f"{passed:.1f} s")
            else:
                tally.skip("replay", f"no captures in {harness.SHARED_DATA}")
            truth = work / "truth.ndjson"
            playhead("simulate", "--to", server.url, "--customer", CUSTOMER, "--sessions", 20,
                     "--seed", 1, "--truth", truth)
            tally.equal("simulate --to --truth: a line per session",
                        len(truth.read_text().splitlines()), 20)
            tally.check("the truth is JSON", all(json.loads(line) for line in
                                                 truth.read_text().splitlines()))
        done = playhead("simulate", "--data-dir", data, "--customer", CUSTOMER, "--sessions", 50,
                        "--seed", 2, "--hours", 3)
        tally.check("simulate --data-dir", "50 sessions" in done.stdout, done.stdout)
        counted = playhead("sql", "--data-dir", data, "--format", "TSV",
                           "SELECT uniqExact(sessionid) FROM sessions").stdout
        tally.check("its sessions are in the store", int(counted) >= 50, counted)
        done = playhead("replay", "--to", "http://127.0.0.1:9", "--speed", "0",
                        __file__, check=False)
        tally.check("replay of what is no recording fails in words",
                    done.returncode == 1 and done.stderr.startswith("playhead: "), done.stderr)


def stops_under_load(tally):
    with harness.served_customer() as server:
        ended = threading.Event()

        def load(number):
            count = 0
            while not ended.is_set():
                body = harness.smartsight_event(f"load-{number}", "PAUSE", f"{number}-{count}",
                                                int(time.time() * 1000))
                count += 1
                try:
                    server.send("/produce", "POST", body, {"Content-Type": "application/json"})
                except OSError:
                    return

        threads = [threading.Thread(target=load, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(1.5)
        code, seconds = server.stop()
        ended.set()
        for thread in threads:
            thread.join()
        tally.equal("SIGTERM under load: exit code 0", code, 0)
        tally.check("SIGTERM under load: within 5 s", seconds < 5, f"{seconds:.1f} s")
    with harness.folder() as work:
        harness.add_tenant(work / "data")
        with Server(work / "data") as server:
            server.process.send_signal(signal.SIGINT)
            tally.equal("SIGINT ends it as well", server.process.wait(5), 0)


def keys_and_customers(tally):
    with harness.served_customer() as server:
        ask = f"/mm-apis/metricquery/{CUSTOMER}?period=last=1h&metrics=attempts"
        old = f"/mm-apis/qbrData/vod/{CUSTOMER}?period=last=1h&metrics=attempts"

        def status(target, **headers):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return server.send(target, headers=named).status

        tally.equal("X-API-Key", status(ask, X_API_Key=server.key), 200)
        bare = server.send(ask)
        tally.check("no credential: 401 with WWW-Authenticate",
                    bare.is_problem(401) and "www-authenticate" in bare.headers, repr(bare))
        # Of 32 bytes in base64 the last letter is one of sixteen: one that it is not.
        other = "A" if server.key[-1] != "A" else "E"
        tally.equal("unknown key", status(ask, X_API_Key=server.key[:-1] + other), 401)
        tally.equal("older endpoint without planlevel", status(old, X_API_Key=server.key), 400)
        tally.equal("with another planlevel",
                    status(f"{old}&planlevel=1", X_API_Key=server.key), 403)
        tally.equal("with its planlevel",
                    status(f"{old}&planlevel={PLAN_LEVEL}", X_API_Key=server.key), 200)
        tally.equal("planlevel that is no number",
                    status(f"{old}&planlevel=high", X_API_Key=server.key), 400)
        tally.equal("planLevelByCustId", server.api(f"/planLevelByCustId/{CUSTOMER}"),
                    {"custId": CUSTOMER, "planLevel": PLAN_LEVEL})
        harness.add_tenant(server.data_dir, 900100201)
        tally.equal("another customer's data", status(ask.replace("200", "201", 1),
                                                      X_API_Key=server.key), 403)
        other = harness.add_key(server.data_dir, 900100201)
        begun = time.monotonic()
        harness.wait_until(lambda: status("/mm-apis/register/900100201") == 200, 5,
                           "a tenant added while running")
        seconds = time.monotonic() - begun
        tally.check("a tenant added while running is served within 2 s", seconds < 2,
                    f"{seconds:.1f} s")
        tally.equal("and its key", status(ask.replace("200", "201", 1), X_API_Key=other), 200)
        tally.equal("register for nobody's number", status("/mm-apis/register/4711"), 404)
        ingest = harness.add_key(server.data_dir, scope="ingest")
        tally.equal("an ingest key may not read", status(ask, X_API_Key=ingest), 403)
        key_id = server.key[:15]
        playhead("apikey", "revoke", "--data-dir", server.data_dir, "--id", key_id)
        harness.wait_until(lambda: status(ask, X_API_Key=server.key) == 401, 5, "revocation")
        tally.check("a revoked key is 401", True)


if __name__ == "__main__":
    os.chdir("/")
    sys.exit(harness.run_cases([
        commands_and_ready_line, fixed_port_and_files, refusals_of_directories, wrong_arguments,
        replay_and_simulate, stops_under_load, keys_and_customers, *tokens.CASES]))
