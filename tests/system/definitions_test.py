#!/usr/bin/env python3
"""What a number means, and how complete it is, over the wire: the worked session under every
definition, failures told apart, lost beacons estimated, tags under their names."""
import csv
import hashlib
import io
import json
import random
import sys
import threading
import time

import harness
from harness import CUSTOMER

# spec/peers.md 1.2: one session, five answers (percent).
WORKED = {"cta2066": ("bufferingratio", 4 / 127.5), "mux": ("bufferingratio", 4 / 124),
          "conviva": ("bufferingratio", 5.5 / 125.5), "cirr": ("cirrbufferingratio", 4 / 125.5),
          "naive": ("stalltoplayratio", 4 / 120)}
# Its states: seconds and CMCD's letter.
STATES = ((0, "s"), (2, "p"), (62, "k"), (63.5, "p"), (93.5, "r"), (97.5, "p"), (123.5, "a"),
          (143.5, "p"), (147.5, "e"))


def cmcd(server, session, states, start_ms, errors=(), numbers=None):
    """Event mode reports, one line each; `errors` are (seconds, code)."""
    lines = [(seconds, f"e=ps,sta={state}") for seconds, state in states]
    lines += [(seconds, f'e=e,ec=("{code}"),sta=f') for seconds, code in errors]
    lines.sort(key=lambda line: line[0])
    body = "".join(f'cid="a",{text},sid="{session}",sn={number},ts={int(start_ms + seconds * 1000)},'
                   "v=2\n" for number, (seconds, text) in enumerate(lines)
                   if numbers is None or number in numbers)
    answer = server.send(f"/cmcd/{CUSTOMER}", "POST", body, {"Content-Type": "application/cmcd"})
    assert answer.status == 204, answer
    return len(lines)


def payload_id(session, time_ms, number):
    """As the newer SDKs make it: MD5 over customer, session, time and counter, reordered."""
    h = hashlib.md5(f"{CUSTOMER}{session}{time_ms}{number}".encode()).hexdigest()
    return h[8:16] + h[24:32] + h[0:8] + h[16:24]


def smartsight(server, session, start_ms, numbers=None, number_them=True):
    """The worked session as the SDK reports it."""
    events = (("ONLOAD", 0, {}), ("START", 2, {"latency": 2000}), ("SEEK_START", 62, {}),
              ("SEEK_COMPLETE", 63.5, {}), ("BUFFERING_START", 93.5, {}),
              ("BUFFERING_COMPLETE", 97.5, {}), ("PAUSE", 123.5, {}), ("RESUME", 143.5, {}),
              ("ENDED", 147.5, {}))
    for number, (name, seconds, fields) in enumerate(events):
        if numbers is not None and number not in numbers:
            continue
        time_ms = int(start_ms + seconds * 1000)
        pid = payload_id(session, time_ms, number) if number_them else f"{session}-{number}"
        # START's latency stands in pbInfo.
        event = json.loads(harness.smartsight_event(session, name, pid, time_ms))
        event["qubitData"][0]["pbInfo"] = [fields]
        answer = server.send("/produce", "POST", json.dumps(event),
                             {"Content-Type": "application/json"})
        assert answer.status == 200, answer
    return len(events)


def ask(server, metrics, more="", session=None, accept=None):
    only = f"&filter=[sessionid={session}]" if session else ""
    target = (f"/mm-apis/metricquery/{CUSTOMER}?period=last=3h&allstatus=1&sessiontype=started"
              f"&metrics={metrics}{only}{more}")
    if accept:
        return server.send(target, headers={"X-API-Key": server.key, "Accept": accept})
    return server.api(target)


def value(server, metric, more="", session=None):
    return ask(server, metric, more, session)["response"][0][metric]


def stored(server, session, beacons):
    harness.wait_until(lambda: (server.session(session) or {"session": {"beacons": 0}})["session"]
                       ["beacons"] == beacons, 20, f"{beacons} beacons of {session}")


def the_worked_session(tally, server):
    start_ms = int(time.time() - 600) * 1000
    counts = {"worked-cmcd": cmcd(server, "worked-cmcd", STATES, start_ms),
              "worked-sdk": smartsight(server, "worked-sdk", start_ms)}
    for session, beacons in counts.items():
        stored(server, session, beacons)
        row = server.session(session)["session"]
        tally.equal(f"{session}: its times", [row[name] for name in (
            "startup_ms", "playing_ms", "stall_ms", "seek_stall_ms", "pause_ms")],
            [2000, 120000, 4000, 1500, 20000])
        for name, (metric, share) in WORKED.items():
            definition = {"cirr": "conviva", "naive": "smartsight"}.get(name, name)
            answer = ask(server, metric, f"&definition={definition}", session)
            tally.near(f"{session}: {name}", answer["response"][0][metric], share * 100, 5e-5)
            used = answer["meta"]["definitions"][0]
            known = definition if name in ("cta2066", "mux", "conviva") else "smartsight"
            tally.check(f"{session}: {name} is named with its terms", used["metric"] == metric and
                        used["definition"] == known and used["numerator"] and used["denominator"]
                        and len(used["text"]) > 20, str(used))
        tally.near(f"{session}: rebuffering frequency per play",
                   value(server, "bufferfrequency", "&definition=cta2066", session), 1, 1e-9)
        tally.near(f"{session}: startup", value(server, "latency", "&definition=mux", session), 2,
                   1e-9)


def failures_told_apart(tally, server):
    """Of five attempts one fails before the frame, one is left, one fails in play."""
    start_ms = int(time.time() - 500) * 1000
    counts = {
        "good-1": cmcd(server, "good-1", ((0, "s"), (1, "p"), (30, "e")), start_ms),
        "good-2": cmcd(server, "good-2", ((0, "s"), (1, "p"), (40, "e")), start_ms),
        "start-fails": cmcd(server, "start-fails", ((0, "s"), (3, "f")), start_ms, ((3, "E1"),)),
        "left": cmcd(server, "left", ((0, "s"), (5, "q")), start_ms),
        "play-fails": cmcd(server, "play-fails", ((0, "s"), (1, "p"), (20, "f")), start_ms,
                           ((20, "E2"),))}
    for session, beacons in counts.items():
        stored(server, session, beacons)
    only = "|".join(counts)
    for definition, expected in {
            "smartsight": {"failurerate": 20, "instreamfailurerate": 100 / 3},
            "cta2066": {"failurerate": 40, "instreamfailurerate": 40},
            "mux": {"failurerate": 20, "instreamfailurerate": 40},
            "conviva": {"vsf": 20, "vpf": 100 / 3, "ebvs": 20}}.items():
        row = ask(server, ",".join(expected), f"&definition={definition}", only)["response"][0]
        for metric, share in expected.items():
            tally.near(f"{definition}: {metric}", row[metric], share, 1e-4)


def lost_where_it_can_be_known(tally, server):
    start_ms = int(time.time() - 400) * 1000
    smartsight(server, "unnumbered", start_ms, number_them=False)
    stored(server, "unnumbered", 9)
    meta = ask(server, "attempts", session="unnumbered")["meta"]
    tally.check("no number: null with a reason", meta["lostbeacons"] is None and
                meta["numberedbeacons"] == 0 and "numbers" in meta["lostbeaconsreason"], str(meta))
    tally.equal("and the metric is null", value(server, "beaconlossrate", session="unnumbered"), None)
    # Two of nine are lost: the first and one between.
    kept = {1, 2, 3, 5, 6, 7, 8}
    smartsight(server, "holes-sdk", start_ms, numbers=kept)
    cmcd(server, "holes-cmcd", STATES, start_ms, numbers={0, 1, 2, 3, 5, 7, 8})
    for session in ("holes-sdk", "holes-cmcd"):
        stored(server, session, 7)
        meta = ask(server, "attempts", session=session)["meta"]
        tally.near(f"{session}: 2 of 9 lost", meta["lostbeacons"], 200 / 9, 1e-4)
        tally.check(f"{session}: all numbered", meta["numberedbeacons"] == 100 and
                    "lostbeaconsreason" not in meta, str(meta))
    meta = ask(server, "attempts", session="holes-sdk|unnumbered")["meta"]
    tally.near("together: of the numbered ones", meta["lostbeacons"], 200 / 9, 1e-4)
    tally.near("and how many those are", meta["numberedbeacons"], 700 / 16, 1e-4)
    def from_slices():
        rows = ask(server, "beaconlossrate", "&concurrency=1", "holes-sdk")["response"]
        return rows and abs((rows[0]["beaconlossrate"] or 0) - 200 / 9) < 1e-4
    tally.check("from slices too", harness.wait_until(from_slices, 20, "slices of the session"))


class Lossy(harness.Loopback):
    """A road to the server on which a share of the beacons gets lost, by a seeded die."""

    def __init__(self, server, share):
        self.sent = self.lost = 0
        die, mutex = random.Random(7), threading.Lock()
        road = self

        class Handler(harness.QuietHandler):
            protocol_version = "HTTP/1.1"
            # One packet for each reply: the client waits for it.
            wbufsize, disable_nagle_algorithm = 1 << 16, True

            def forward(self):
                size = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(size) if size else None
                # The App Analytics SDK's own events are no beacons of a session.
                if self.command == "POST" and b'"Application"' not in body:
                    with mutex:
                        road.sent += 1
                        gone = die.random() < share
                        road.lost += gone
                    if gone:
                        return self.reply(200, b"")
                kind = self.headers.get("Content-Type")
                answer = server.send(self.path, self.command, body,
                                     {"Content-Type": kind} if kind else {})
                return self.reply(answer.status, answer.body)

            def reply(self, status, body):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = forward

        super().__init__(Handler)


def a_lossy_road(tally, server):
    """Simulated traffic of which a known random share is dropped: the estimate finds it."""
    other = CUSTOMER + 1
    harness.add_tenant(server.data_dir, customer=other)
    key = harness.add_key(server.data_dir, customer=other)
    harness.wait_until(lambda: server.send(f"/mm-apis/register/{other}").status == 200, 10,
                       "the customer is known")
    share = 0.1
    with Lossy(server, share) as road:
        harness.playhead("simulate", "--to", road.url, "--customer", other, "--sessions", 40,
                         "--seed", 5, "--hours", 1, "--from=-3h", "--wire", "compact",
                         timeout=120)
    target = (f"/mm-apis/metricquery/{other}?period=last=12h&allstatus=1&sessiontype=started"
              "&metrics=beacons,sessions")
    arrived = road.sent - road.lost

    def settled():
        answer = server.api(target, key)
        return answer if answer["response"][0]["beacons"] >= arrived * 0.98 else None
    answer = harness.wait_until(settled, 30, "the beacons that were not lost")
    meta, sessions = answer["meta"], answer["response"][0]["sessions"]
    truth = road.lost * 100 / road.sent
    tally.check(f"{road.lost} of {road.sent} beacons were lost", road.sent > 1000 and
                abs(truth - share * 100) < 3)
    # What follows a session's last record is not seen: a lost end, on average share/(1-share) of a
    # record per session; and a session of which nothing came is none.
    blind = sessions * share / (1 - share) * 100 / road.sent
    tally.check("the estimate agrees within its error", truth - 2 * blind - 0.5 <=
                meta["lostbeacons"] <= truth + 0.2, f"{meta['lostbeacons']} of {truth} ± {blind}")
    tally.check("from numbered records", meta["numberedbeacons"] > 99, str(meta))


def tags_by_name(tally, server):
    start_ms = int(time.time() - 300) * 1000
    event = json.loads(harness.smartsight_event("tagged", "ONLOAD", "t-1", start_ms))
    event["qubitData"][0]["customTags"] = {"plan": "gold", "a`b\\c": "odd"}
    server.send("/produce", "POST", json.dumps(event), {"Content-Type": "application/json"})
    stored(server, "tagged", 1)
    by = "&aggby=tag.plan,tag.a%60b%5Cc"
    names = ["tag.plan", "tag.a`b\\c"]
    text = ask(server, "sessions", by, "tagged", "text/csv").body.decode()
    tally.equal("CSV names the tags", next(csv.reader(io.StringIO(text)))[:2], names)
    line = json.loads(ask(server, "sessions", by, "tagged", "application/x-ndjson").body)
    tally.equal("NDJSON names the tags", [line.get(name) for name in names], ["gold", "odd"])
    for form in ("vnd.apache.arrow.stream", "vnd.apache.parquet"):
        body = ask(server, "sessions", by, "tagged", f"application/{form}").body
        tally.check(f"{form} names the tags", all(name.encode() in body for name in names))
    tally.check("a tag that is no text: 400", server.send(
        f"/mm-apis/metricquery/{CUSTOMER}?period=last=3h&metrics=sessions&aggby=tag.%FF",
        headers={"X-API-Key": server.key}).is_problem(400))
    admin = harness.add_key(server.data_dir, scope="admin")
    made = server.send("/admin/v1/tags", "POST", json.dumps(
        {"name": "plan", "title": "Plan", "description": "What they pay for"}),
        {"X-API-Key": admin, "Content-Type": "application/json"})
    tally.equal("a tag is declared", made.status, 201)
    tags = server.api(f"/mm-apis/dictionary/{CUSTOMER}")["tags"]
    tally.equal("and stands in the dictionary", tags, [
        {"key": "tag.plan", "name": "plan", "title": "Plan", "description": "What they pay for",
         "type": "text"}])
    other = harness.add_key(server.data_dir, customer=CUSTOMER + 1)
    tally.equal("of its customer only", server.api(f"/mm-apis/dictionary/{CUSTOMER + 1}",
                                                   other)["tags"], [])


def main():
    with harness.served_customer() as server:
        return harness.run_cases([lambda tally, case=case: case(tally, server) for case in (
            the_worked_session, failures_told_apart, lost_where_it_can_be_known, a_lossy_road,
            tags_by_name)])


if __name__ == "__main__":
    sys.exit(main())
