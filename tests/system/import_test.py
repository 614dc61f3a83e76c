#!/usr/bin/env python3
"""`playhead import`: logs of every format against the simulator's truth, EPAS, refusals, the
documentation."""
import gzip
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.parse

import harness
from access_logs import FORMATS, akamai, cloudfront, fastly, realtime
from harness import CUSTOMER, playhead
from importing import new_data_dir, run_import, sql

ROOT = harness.ROOT
AGENT = "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0"


# ---- access logs

def record(work, sessions=24, seed=3):
    """Requests of CMCD players and what really happened."""
    playhead("simulate", "--record", work / "requests.ndjson", "--truth", work / "truth.ndjson",
             "--wire", "cmcd-query", "--sessions", sessions, "--seed", seed, "--hours", "0.5",
             "--from", "-20h", "--customer", CUSTOMER)
    entries = []
    for number, line in enumerate(open(work / "requests.ndjson", encoding="utf-8")):
        request = json.loads(line)
        path, query = request["url"].split("?", 1)
        entries.append({"t": request["t"], "ip": request["headers"].get("X-Forwarded-For", "-"),
                        "agent": request["headers"]["User-Agent"], "query": query,
                        "path": f"/v/seg-{number % 7}.ts", "id": f"r{number:08x}"})
    truth = {}
    for line in open(work / "truth.ndjson", encoding="utf-8"):
        session = json.loads(line)
        truth[session["sessionid"]] = session
    return entries, truth


STORED = ("SELECT customerid, sessionid, requests, bytes, beacons, beacons_late, plays, playing_ms, stall_count, "
          "startup_ms, bitrate_kbit, bitrate_ms, throughput_count, viewstatus, browser, ipaddress, "
          "sourcehostname, assetid, toUnixTimestamp64Milli(start_time) AS start_ms FROM sessions FINAL "
          "ORDER BY customerid, sessionid")


def compare_with_truth(tally, name, rows, truth, starved, precision_ms):
    stored = {row["sessionid"]: row for row in rows}
    asked = {key: session for key, session in truth.items()
             if session["counters"].get("requests", 0) > 0}
    tally.equal(f"{name}: sessions", sorted(stored), sorted(asked))
    wrong = [(key, column, int(stored[key][column]), session["counters"].get(column, 0))
             for key, session in asked.items() for column in ("requests", "bytes", "beacons")
             if key in stored and int(stored[key][column]) != session["counters"].get(column, 0)]
    tally.equal(f"{name}: requests, bytes and records are the truth's", wrong[:3], [])
    tally.check(f"{name}: what CMCD v1 cannot tell stays unknown",
                all(row["startup_ms"] == -1 and row["viewstatus"] in ("DROPPED", "EXITED")
                    for row in rows))
    # `bs` says that it starved since the request before: once or several times, and never after the
    # last one. The logs are their own witness of how often it stands in them.
    tally.equal(f"{name}: stalls told", sum(int(row["stall_count"]) for row in rows), starved)
    playing = sum(session["counters"].get("playing_ms", 0) for session in asked.values())
    estimate = sum(int(row["playing_ms"]) for row in rows)
    tally.near(f"{name}: estimate of playing time", estimate / playing, 1, 0.15)
    begun = [abs(int(stored[key]["start_ms"]) - session["start_ms"])
             for key, session in asked.items() if key in stored]
    tally.check(f"{name}: begins with the first request", max(begun) <= 4000 + precision_ms, max(begun))


def logs_of_every_format(tally):
    """One store, a customer per format: each goes back to the same time as the one before."""
    with harness.folder("playhead-import-") as work:
        entries, truth = record(work)
        starved = sum("bs" in urllib.parse.unquote(entry["query"]).split(",") for entry in entries)
        tally.check("the simulator wrote enough", len(entries) > 1500 and starved > 0, len(entries))
        data_dir = work / "data"
        commands = {}
        for number, (name, (write, options, head)) in enumerate(FORMATS.items()):
            lines = [write(entry) for entry in entries]
            random.Random(name).shuffle(lines)
            half = len(lines) // 2
            first, second = work / f"{name}.1", work / f"{name}.2.gz"
            # Some lines that are no media requests, and one that is broken.
            other = write({**entries[0], "query": "a=1", "id": "x"}) if name != "nginx" else ""
            first.write_text(head + "\n".join(lines[:half] + [other, "broken"]) + "\n")
            second.write_bytes(gzip.compress((head + "\n".join(lines[half:]) + "\n").encode()))
            harness.add_tenant(data_dir, CUSTOMER + number)
            commands[name] = ["cmcd-log", "--data-dir", data_dir, "--customer", CUSTOMER + number,
                              "--format", name, *options, first, second]
            done = run_import(*commands[name])
            tally.check(f"{name}: every request imported",
                        f"{len(entries)} requests imported" in done.stdout
                        and "1 not readable" in done.stdout, done.stdout)
        for name in ("cloudfront", "nginx"):
            again = run_import(*commands[name])
            tally.check(f"{name} again: nothing new",
                        " 0 requests imported" in again.stdout
                        and f"{len(entries)} there already" in again.stdout, again.stdout)
        stored = {}
        for row in sql(data_dir, STORED):
            stored.setdefault(int(row.pop("customerid")), []).append(row)
        for number, name in enumerate(FORMATS):
            rows = stored.get(CUSTOMER + number, [])
            compare_with_truth(tally, name, rows, truth, starved, 1000)
            if number > 1:  # the first has whole seconds: its times differ from the others'
                reference = stored[CUSTOMER + 1]
                different = [(key, left[key], right[key]) for left, right in zip(rows, reference)
                             for key in left if left[key] != right[key]]
                tally.equal(f"{name}: the same sessions as of {list(FORMATS)[1]}", different[:3], [])
        tally.check("device, place and host", all(
            row["browser"] != "" and row["ipaddress"].endswith(".0")
            and row["sourcehostname"] == "video.example.test" for row in reference), reference[:1])


def killed_and_run_again(tally):
    """kill -9 while the pipeline runs, then the whole again: every request once."""
    with harness.folder("playhead-import-") as work:
        entries, truth = record(work, sessions=40, seed=8)
        log = work / "a.log"
        log.write_text("".join(akamai(entry) + "\n" for entry in entries))
        data_dir = new_data_dir(work, "data")
        command = [harness.BINARY, "import", "cmcd-log", "--data-dir", str(data_dir), "--customer",
                   str(CUSTOMER), str(log)]
        kills = 0
        for delay in (1.2, 1.8, 2.4):
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            journal = data_dir / "journal"
            harness.wait_until(lambda: process.poll() is not None or (
                journal.is_dir() and any(path.stat().st_size > 20_000 for path in journal.iterdir())),
                60, "a journal with something in it")
            time.sleep(delay - 1.2)
            if process.poll() is None:
                process.kill()
                kills += 1
            process.wait(30)
        tally.check("it was killed at work", kills >= 1, kills)
        run_import(*command[2:])
        rows = sql(data_dir, STORED)
        stored = {row["sessionid"]: row for row in rows}
        asked = {key: session for key, session in truth.items()
                 if session["counters"].get("requests", 0) > 0}
        tally.equal("each session once", (len(rows), sorted(stored)), (len(asked), sorted(asked)))
        tally.equal("each request once",
                    [key for key, session in asked.items()
                     if int(stored[key]["requests"]) != session["counters"]["requests"]][:3], [])


def through_a_server(tally):
    with harness.folder("playhead-import-") as work:
        entries, truth = record(work, sessions=6, seed=5)
        log = work / "nginx.json"
        log.write_text("".join(fastly(entry) + "\n" for entry in entries))
        data_dir = new_data_dir(work, "data")
        with harness.Server(data_dir, "--ingest-linger-ms", 0) as server:
            server.key = harness.add_key(data_dir)
            command = ["cmcd-log", "--to", server.url, "--customer", CUSTOMER, "--format", "fastly",
                       "--remember", work / "seen", log]
            with open(log, "rb") as stream:
                done = run_import(*command[:-1], "-", stdin=stream)
            tally.check("sent", f"{len(entries)} requests imported" in done.stdout, done.stdout)
            again = run_import(*command)
            tally.check("remembered", " 0 requests imported" in again.stdout, again.stdout)
            shutil.rmtree(work / "seen")
            run_import(*command)  # the timeline itself knows them
            target = (f"/mm-apis/metricquery/{CUSTOMER}?period=last=3d&allstatus=1&sessiontype=started"
                      "&metrics=beacons,cbrsize,sessions&meta=0")
            wanted = {"beacons": len(entries),
                      "cbrsize": sum(s["counters"].get("bytes", 0) for s in truth.values())}

            def answered():
                row = server.api(target)["response"][0]
                return row if all(row[key] == value for key, value in wanted.items()) else None
            tally.check("the server has each request once, at its time",
                        harness.wait_until(answered, 20, "the counts"))
            unknown = run_import(*command[:3], "--customer", 5, log, check=False)
            tally.check("a customer that is not there",
                        unknown.returncode == 1 and "does not know customer 5" in unknown.stderr,
                        unknown.stderr)


def refusals(tally):
    with harness.folder("playhead-import-") as work:
        data_dir = new_data_dir(work, "data")
        log = work / "bad.log"
        log.write_text("".join(f"nonsense {number}\n" for number in range(200)))
        base = ["cmcd-log", "--data-dir", data_dir, "--customer", CUSTOMER]
        done = run_import(*base, "--format", "nginx", "--max-errors", 20, log, check=False)
        tally.check("too many bad lines: exit code, count, example and line",
                    done.returncode == 1 and "more than 20 lines cannot be read" in done.stderr
                    and "bad.log:1: nonsense 0" in done.stdout, done.stderr + done.stdout)
        tally.check("nothing was imported by then", not (data_dir / "store").exists())
        for name, arguments, text in (
                ("format", [*base, "--format", "cloudfrnt", log], "did you mean cloudfront?"),
                ("target", ["cmcd-log", "--customer", CUSTOMER, log], "either --to or --data-dir"),
                ("customer", ["cmcd-log", "--data-dir", data_dir, "--customer", 5, "--format", "nginx",
                              work / "good.log"], "tenant add"),
                ("file", [*base, work / "none.log"], "cannot read"),
                ("fields", [*base, "--fields", "a,b", log], "none of the names")):
            entry = {"t": int(time.time() * 1000) - 60_000, "ip": "1.2.3.4", "agent": "A", "path": "/a",
                     "query": "CMCD=sid%3D%22s%22", "id": "1"}
            (work / "good.log").write_text(akamai(entry) + "\n")
            done = run_import(*arguments, check=False)
            tally.check(f"refused: {name}", done.returncode == 1 and text in done.stderr, done.stderr)
        entry["t"] -= 500 * 86_400_000
        (work / "old.log").write_text(akamai(entry) + "\n")
        done = run_import(*base, work / "old.log")
        tally.check("older than retention", "1 left out: older than retention" in done.stdout, done.stdout)


# ---- EPAS

def epas_events(start_ms, session="epas-1"):
    def event(name, seconds, **payload):
        entry = {"event": name, "sessionId": session, "timestamp": start_ms + int(seconds * 1000),
                 "playhead": max(0, int(seconds * 1000) - 2000), "duration": 600_000}
        return {**entry, "payload": payload} if payload else entry
    return [event("init", 0, live=False, contentId="asset-9", contentTitle="Nine", userId="u-1",
                  deviceModel="M"),
            event("loading", 0.1), event("loaded", 1.5),
            event("bitrate_changed", 1.9, bitrate=3000, width=1280, height=720),
            event("playing", 2), event("buffering", 12), event("buffered", 15),
            event("heartbeat", 20), event("paused", 30), event("playing", 40),
            event("seeking", 50), event("seeked", 52), event("playing", 52),
            event("bitrate_changed", 62, bitrate=1000), event("warning", 70, code="W1", message="slow"),
            event("stopped", 82, reason="ended")]


def epas_sessions(tally):
    with harness.folder("playhead-import-") as work:
        data_dir = new_data_dir(work, "data")
        start = int(time.time() * 1000) - 7_200_000
        failed = [{"event": name, "sessionId": "epas-2", "timestamp": start + at, "playhead": -1,
                   "duration": -1, **({"payload": payload} if payload else {})}
                  for name, at, payload in (
                      ("init", 0, None), ("error", 3000, {"code": "403", "message": "denied"}),
                      ("stopped", 3100, {"reason": "error"}))]
        events = epas_events(start) + failed
        random.Random(1).shuffle(events)
        file = work / "events.jsonl"
        file.write_text("".join(json.dumps(event) + "\n" for event in events))
        command = ["epas", "--data-dir", data_dir, "--customer", CUSTOMER, file]
        run_import(*command)
        statement = ("SELECT sessionid, viewstatus, startup_ms, stall_ms, stall_count, seek_stall_ms, "
                     "pause_ms, seek_count, playing_ms, bitrate_kbit, rendition_changes, warnings, "
                     "fatal_errors, startup_failures, assetid, assetname, subscriberid, res, errorcode "
                     "FROM sessions FINAL ORDER BY sessionid")
        rows = sql(data_dir, statement)
        # By hand: 80 s from the first frame, less stall 3, pause 10 and seek 2.
        expected = {"viewstatus": "ENDED", "startup_ms": 2000, "stall_ms": "3000", "stall_count": "1",
                    "seek_stall_ms": "2000", "pause_ms": "10000", "seek_count": "1",
                    "playing_ms": "65000", "bitrate_kbit": str(3000 * 45_000 + 1000 * 20_000),
                    "rendition_changes": "1", "warnings": "1", "fatal_errors": "0",
                    "assetid": "asset-9", "assetname": "Nine", "subscriberid": "u-1"}
        found = {key: rows[0][key] for key in expected}
        tally.equal("a session by hand", {k: str(v) for k, v in found.items()},
                    {k: str(v) for k, v in expected.items()})
        tally.equal("a failed start", (rows[1]["viewstatus"], str(rows[1]["startup_failures"]),
                                       rows[1]["errorcode"]), ("FAILED", "1", "403"))
        again = run_import(*command)
        tally.check("again: nothing new", " 0 events imported" in again.stdout
                    and sql(data_dir, statement) == rows, again.stdout)


# ---- the documentation

def commands_of_the_documentation(tally):
    """Runs every `playhead import` of docs/import.md on files of the names that stand there."""
    text = (ROOT / "docs/import.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, re.S | re.M)
    commands = [line for kind, block in blocks if kind == "" for line in block.splitlines()
                if "playhead import" in line]
    mapping = next(block for kind, block in blocks if kind == "yaml")
    tally.equal("there are commands", len(commands), 10)
    with harness.folder("playhead-import-") as work:
        now = int(time.time() * 1000)
        entry = {"t": now - 3_600_000, "ip": "203.0.113.9", "agent": AGENT, "path": "/v/1.ts", "id": "r1",
                 "query": "CMCD=br%3D3000%2Cd%3D4000%2Cot%3Dv%2Csid%3D%22doc%22"}
        (work / "E2EXAMPLE.2026-11-25-21.gz").write_bytes(
            gzip.compress((FORMATS["cloudfront"][2] + cloudfront(entry) + "\n").encode()))
        (work / "realtime.tsv").write_text(realtime(entry) + "\n")
        (work / "datastream.json").write_text(akamai(entry) + "\n")
        (work / "fastly.json").write_text(fastly(entry) + "\n")
        (work / "access.log").write_text(
            f"203.0.113.9 [{time.strftime('%Y-%m-%dT%H:%M:%S+00:00', time.gmtime(entry['t'] / 1000))}] "
            f"\"GET /v/1.ts HTTP/1.1\" 206 \"{AGENT}\" \"br=3000,d=4000,ot=v\" \"-\" "
            "\"sid=\\x22doc\\x22\" \"-\"\n")
        (work / "more.log.zst").write_text(fastly(entry) + "\n")
        (work / "events.jsonl").write_text(
            "".join(json.dumps(event) + "\n" for event in epas_events(now - 7_200_000)))
        (work / "mapping.yaml").write_text(mapping)
        start = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now / 1000 - 86_400))
        (work / "views.csv").write_text(
            "view_id,view_start,watch_seconds,startup,rebuffer_seconds,rebuffer_count,bitrate,outcome,"
            f"country,plan\nv-1,{start},120,1.5,2,1,2500000,finished,DE,gold\n")
        source_dir = new_data_dir(work, "source")
        data_dir = new_data_dir(work, "data")
        # What `zstdcat` does for a file that is none: nothing that the test is about.
        bin_dir = work / "bin"
        bin_dir.mkdir()
        (bin_dir / "zstdcat").write_text("#!/bin/sh\nexec cat \"$@\"\n")
        (bin_dir / "zstdcat").chmod(0o755)
        os.symlink(harness.BINARY, bin_dir / "playhead")
        with harness.Server(source_dir) as server:
            environment = {**os.environ, "PATH": f"{bin_dir}:{os.environ['PATH']}", "DATA": str(data_dir),
                           "CUSTOMER": str(CUSTOMER), "BASE": server.url, "SEEN": str(work / "seen"),
                           "KEY": harness.add_key(source_dir)}
            for command in commands:
                done = subprocess.run(["bash", "-c", command], cwd=work, env=environment, text=True,
                                      capture_output=True, stdin=subprocess.DEVNULL, timeout=120)
                words = shlex.split(command)
                tally.check(f"{words[words.index('import') + 1]} … {words[-1]}",
                            done.returncode == 0 and "not readable" not in done.stdout
                            and " 0 requests imported" not in done.stdout, done.stdout + done.stderr)
        rows = sql(data_dir, "SELECT sessionid, viewstatus, playing_ms, stall_ms, startup_ms, cdn FROM "
                             "sessions FINAL ORDER BY sessionid")
        tally.equal("the sessions are there", [row["sessionid"] for row in rows], ["doc", "epas-1", "v-1"])
        tally.equal("the view", (rows[2]["viewstatus"], int(rows[2]["playing_ms"]), int(rows[2]["stall_ms"]),
                                 rows[2]["startup_ms"], rows[2]["cdn"]),
                    ("ENDED", 118_000, 2000, 1500, "akamai"))


CASES = [logs_of_every_format, killed_and_run_again, through_a_server, refusals, epas_sessions,
         commands_of_the_documentation]

if __name__ == "__main__":
    wanted = sys.argv[1:]
    sys.exit(harness.run_cases([case for case in CASES if not wanted or case.__name__ in wanted]))
