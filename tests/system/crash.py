#!/usr/bin/env python3
"""kill -9 under load, again and again; then every acknowledged beacon must be there exactly once.

    crash.py [--rounds N] [--seconds S]    a server per round, killed at a random moment

Clients send warnings with unique numbers over sessions of their own, in both wires, and note each
number that was acknowledged. After the last round the store is read: a number may be missing only
if it was never acknowledged, and none may be there twice.
"""
import argparse
import collections
import http.client
import json
import random
import socket
import sys
import threading
import time

import harness

CLIENTS = 6
PER_SESSION = 25


class Ledger:
    """What was sent and what was acknowledged."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent = 0
        self.acknowledged = set()

    def next(self):
        with self.lock:
            self.sent += 1
            return self.sent

    def taken(self, number):
        with self.lock:
            self.acknowledged.add(number)


def smartsight(number, session):
    now = int(time.time() * 1000)
    return "/produce", "application/json", harness.smartsight_event(
        session, "ERROR", f"pid-{number}", now, desc=f"{number}_numbered@@WARNING@@test")


def cmcd(number, session):
    now = int(time.time() * 1000)
    record = f'e=ce,cen="n{number}",sid="{session}",sn={number},ts={now},v=2'
    return f"/cmcd/{harness.CUSTOMER}/{session}", "application/cmcd", record.encode()


def client(number, server, ledger, ending):
    """Sends until the server is gone or it is told to end."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    wire = cmcd if number % 3 == 2 else smartsight
    sent_here, session = 0, None
    try:
        while not ending.is_set():
            if sent_here % PER_SESSION == 0:
                session = f"crash-{wire.__name__}-{number}-{ledger.next()}"
            sent_here += 1
            beacon = ledger.next()
            target, content_type, body = wire(beacon, session)
            connection.request("POST", target, body, {"Content-Type": content_type})
            answer = connection.getresponse()
            answer.read()
            # CMCD is answered 204 whatever happens: its acknowledgement promises nothing.
            if answer.status == 200:
                ledger.taken(beacon)
    except (OSError, http.client.HTTPException, socket.timeout):
        return
    finally:
        connection.close()


def one_round(work, ledger, seconds, extra=()):
    """One server from start to kill -9; how long it took to be ready."""
    begun = time.monotonic()
    with harness.Server(work / "data", *extra, durability="fsync") as server:
        ready = time.monotonic() - begun
        ending = threading.Event()
        threads = [threading.Thread(target=client, args=(index, server, ledger, ending))
                   for index in range(CLIENTS)]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        server.kill()
        ending.set()
        for thread in threads:
            thread.join()
    return ready


def stored_numbers(work):
    """Every number in the store with how often it is there, after a start and a clean stop."""
    with harness.Server(work / "data", durability="fsync") as server:
        harness.wait_until(lambda: server.metrics()["playhead_cuts_behind"] == 0 and
                           server.metrics()["playhead_store_lag_seconds"] < 5, 30, "recovery")
        code, _ = server.stop()
    if code != 0:
        raise RuntimeError(f"the stop after the last round ended with {code}")
    text = harness.playhead(
        "sql", "--data-dir", work / "data", "--format", "JSONEachRow",
        "SELECT errorcode AS code, text, sessionid FROM events WHERE sessionid LIKE 'crash-%'").stdout
    counted = collections.Counter()
    for line in text.splitlines():
        row = json.loads(line)
        if "-smartsight-" in row["sessionid"]:
            counted[int(row["code"])] += 1
    return counted


def session_sums(work):
    """Warnings as the session rows have them: the timeline may not count twice either."""
    text = harness.playhead(
        "sql", "--data-dir", work / "data", "--format", "TSV",
        "SELECT sum(warnings) FROM (SELECT sessionid, argMax(warnings, revision) AS warnings FROM "
        "(SELECT sessionid, warnings, revision FROM sessions FINAL UNION ALL SELECT sessionid, "
        "warnings, revision FROM live_sessions FINAL) WHERE sessionid LIKE 'crash-smartsight-%' "
        "GROUP BY sessionid)").stdout
    return int(float(text.strip() or 0))


def crash(tally, rounds, seconds, seed=None):
    seed = seed if seed is not None else int(time.time())
    print(f"seed {seed}", flush=True)
    chance = random.Random(seed)
    ledger = Ledger()
    with harness.folder("playhead-crash-") as work:
        harness.add_tenant(work / "data")
        for number in range(1, rounds + 1):
            # Some with snapshots and cuts so frequent that kills hit in their middle.
            extra = ("--ingest-snapshot-interval-ms", 1000, "--ingest-cut-interval-ms",
                     chance.choice((50, 200, 1000))) if number % 2 else ()
            ready = one_round(work, ledger, chance.uniform(0.3, seconds), extra)
            print(f"round {number} of {rounds}: ready after {ready:.1f} s, "
                  f"{len(ledger.acknowledged)} acknowledged", flush=True)
        stored = stored_numbers(work)
        lost = ledger.acknowledged - set(stored)
        doubled = [number for number, count in stored.items() if count > 1]
        tally.check("there was load", len(ledger.acknowledged) > rounds * 20,
                    str(len(ledger.acknowledged)))
        tally.check("nothing acknowledged is lost", not lost,
                    f"{len(lost)} of {len(ledger.acknowledged)}: {sorted(lost)[:10]}")
        tally.check("nothing is stored twice", not doubled,
                    f"{len(doubled)}: {sorted(doubled)[:10]}")
        tally.equal("the session rows count the same", session_sums(work), len(stored))
        print(f"{len(stored)} stored, {len(ledger.acknowledged)} acknowledged, "
              f"{rounds} kills", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=2.5, help="longest life under load")
    parser.add_argument("--seed", type=int)
    arguments = parser.parse_args()

    def kill_9_under_load(tally):
        crash(tally, arguments.rounds, arguments.seconds, arguments.seed)

    return harness.run_cases([kill_9_under_load])


if __name__ == "__main__":
    sys.exit(main())
