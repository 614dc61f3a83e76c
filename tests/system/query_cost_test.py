#!/usr/bin/env python3
"""What a query costs and whom: kept answers, ETag, turns, cancellation, the limit of time."""
import json
import random
import socket
import sys
import time
import urllib.parse

import harness
from harness import CUSTOMER

OTHER = CUSTOMER + 100
LONG_SQL = "SELECT sum(cityHash64(number)) AS s FROM numbers(1000000000000)"


def beacon(server, session, customer=CUSTOMER, ago_s=0, pid="1", event="START", title=""):
    body = harness.smartsight_event(session, event, pid, int((time.time() - ago_s) * 1000), customer,
                                    latency=500)
    if title:
        told = json.loads(body)
        told["qubitData"][0]["contentMetadata"] = {"assetName": title}
        body = json.dumps(told)
    answer = server.send("/produce", "POST", body, {"Content-Type": "application/json"})
    if answer.status != 200:
        raise RuntimeError(f"produce: {answer!r}")


def question(customer=CUSTOMER, **more):
    """Attempts of the last day, up to the next hour: the same text for a while."""
    end = int(time.time()) // 3600 * 3600 + 7200
    query = {"period": f"start={end - 86400},end={end}", "metrics": "attempts", "allstatus": 1,
             "sessiontype": "started", **more}
    return f"/mm-apis/metricquery/{customer}?" + urllib.parse.urlencode(query)


def add_other(server):
    """A second customer; its key, once the server knows it."""
    harness.add_tenant(server.data_dir, OTHER)
    key = harness.add_key(server.data_dir, OTHER)
    harness.wait_until(lambda: get(server, question(OTHER), key).status == 200, 10, "the other customer")
    return key


def attempts(answer):
    rows = answer.json()["response"]
    return rows[0]["attempts"] if rows else 0


def get(server, target, key=None, **headers):
    return server.send(target, headers={"X-API-Key": key or server.key, **headers})


def await_attempts(server, number, customer=CUSTOMER, key=None):
    harness.wait_until(lambda: attempts(get(server, question(customer, querycache=0), key)) == number, 20,
                       f"{number} attempts")


def turns(server):
    return sum(value for name, value in server.metrics().items()
               if name.startswith("playhead_query_turns_total"))


def await_rest(server):
    """Until rows stand still: the answer comes from the cache twice in a row."""
    target = question()
    harness.wait_until(lambda: all(get(server, target).json()["meta"]["cached"] for _ in range(2)), 30,
                       "a kept answer")


def kept_answers(tally):
    with harness.served_customer() as server:
        other_key = add_other(server)
        beacon(server, "one")
        await_attempts(server, 1)
        await_rest(server)
        target = question()
        kept = get(server, target)
        meta = kept.json()["meta"]
        tally.check("meta says that it was kept, and for how long",
                    meta["cached"] is True and meta["cacheage"] >= 0 and meta["rowsread"] == 0, meta)
        for off in ("0", "false", "False"):
            meta = get(server, question(querycache=off)).json()["meta"]
            tally.check(f"querycache={off}", meta["cached"] is False and "cacheage" not in meta, meta)
        tally.check("querycache=True is the default", get(server, question(querycache="True")).status == 200)
        tally.check("querycache=perhaps", get(server, question(querycache="perhaps")).is_problem(400))
        state = get(server, f"/mm-apis/query/{kept.headers['x-query-id']}")
        tally.equal("a kept answer is a query that has ended", state.json()["state"], "finished")

        before = turns(server)
        same = get(server, target, **{"If-None-Match": kept.headers["etag"]})
        tally.check("304 without a body", same.status == 304 and same.body == b"", f"{same!r}")
        tally.equal("and without a turn at the engine", turns(server), before)
        tally.equal("with the same ETag", same.headers["etag"], kept.headers["etag"])
        tally.check("private, and by credential", same.headers["cache-control"] == "private, no-cache" and
                    "Authorization" in same.headers["vary"], same.headers)
        tally.check("weak where the times in meta differ", kept.headers["etag"].startswith('W/"'))
        plain = get(server, question(meta=0))
        tally.check("strong without meta", plain.headers["etag"].startswith('"'), plain.headers)
        tally.equal("304 on one of a list, after a fresh run",
                    get(server, question(querycache=0),
                        **{"If-None-Match": f'"x", {kept.headers["etag"]}'}).status, 304)
        tally.check("401 comes before 304", server.send(
            target, headers={"If-None-Match": kept.headers["etag"]}).is_problem(401))

        # The other customer asks the same and gets its own.
        mine = question(OTHER, filter="[cdn=none]")
        tags = {get(server, question(filter="[cdn=none]")).headers["etag"],
                get(server, mine, other_key).headers["etag"]}
        tally.equal("equal answers of two customers have two tags", len(tags), 2)
        tally.equal("the other customer sees none of it", attempts(get(server, question(OTHER), other_key)), 0)

        beacon(server, "two")
        await_attempts(server, 2)
        changed = get(server, target, **{"If-None-Match": kept.headers["etag"]})
        tally.check("a new session is in the answer at once",
                    changed.status == 200 and attempts(changed) == 2, f"{changed!r}")
        # An hour that nobody wrote to stays kept; a late beacon changes just that.
        end = int(time.time()) // 3600 * 3600 - 4 * 3600
        closed = question(period=f"start={end - 3600},end={end}")
        get(server, closed)
        beacon(server, "three")
        await_attempts(server, 3)
        tally.check("a closed hour is not touched by what happens now",
                    get(server, closed).json()["meta"]["cached"] is True)
        beacon(server, "late", ago_s=time.time() - end + 1800)
        harness.wait_until(lambda: attempts(get(server, question(
            querycache=0, period=f"start={end - 3600},end={end}"))) == 1, 20, "the late session")
        tally.equal("but by a late beacon", attempts(get(server, closed)), 1)
        samples = server.metrics()
        tally.check("counted", samples['playhead_query_cache_total{outcome="hit"}'] > 0 and
                    samples["playhead_query_cache_bytes"] > 0, samples)


def post(server, target, body, key=None):
    """A request whose answer the caller reads or does not: its socket."""
    parts = urllib.parse.urlsplit(server.url)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=60)
    connection.sendall(f"POST {target} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key or server.key}\r\n"
                       f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
                       .encode())
    return connection


def sql(server, query_id):
    return post(server, f"/mm-apis/sql/{CUSTOMER}", json.dumps({"sql": LONG_SQL, "queryId": query_id}))


def state(server, query_id):
    answer = get(server, f"/mm-apis/query/{query_id}")
    return answer.json() if answer.status == 200 else {}


def await_state(server, query_id, wanted, seconds=10):
    return harness.wait_until(lambda: state(server, query_id).get("state") == wanted, seconds,
                              f"{query_id} {wanted}")


def status_of(connection):
    return int(connection.recv(4096).split(b" ", 2)[1])


def running(server):
    return server.metrics()["playhead_queries_running"]


def turns_and_limits(tally):
    settings = ("--query-connections", "2", "--query-tenant-connections", "1",
                "--query-tenant-waiting-max", "2", "--sql-time-limit-s", "60")
    with harness.served_customer(*settings) as server:
        other_key = add_other(server)
        first = sql(server, "first")
        harness.wait_until(lambda: running(server) == 1, 10, "the first runs")
        second, third = sql(server, "second"), sql(server, "third")
        harness.wait_until(lambda: server.metrics()['playhead_queue_depth{queue="queries"}'] == 2, 10,
                           "two wait")
        full = server.send(f"/mm-apis/sql/{CUSTOMER}", "POST", json.dumps({"sql": "SELECT 1 AS a"}),
                           {"X-API-Key": server.key, "Content-Type": "application/json"})
        tally.check("one too many: 429 with Retry-After", full.is_problem(429) and
                    int(full.headers["retry-after"]) > 0, f"{full!r}")
        answer = get(server, question(OTHER), other_key)
        tally.check("another customer is served meanwhile", answer.status == 200, f"{answer!r}")
        tally.equal("and the long ones still wait", running(server), 1)

        second.close()
        await_state(server, "second", "cancelled")
        tally.check("a client that leaves while it waits: cancelled", True)
        cancelled = server.send("/mm-apis/query/third", "DELETE", headers={"X-API-Key": server.key})
        tally.equal("DELETE of one that waits", cancelled.status, 202)
        tally.equal("its client is told", status_of(third), 499)
        tally.equal("the one that runs is not touched", state(server, "first")["state"], "running")
        first.close()
        await_state(server, "first", "cancelled")
        harness.wait_until(lambda: running(server) == 0, 10, "nothing runs")
        tally.check("a client that leaves while it runs: cancelled, and the place is free", True)
        third.close()
        refused = server.metrics()['playhead_query_refused_total{reason="customer_queue"}']
        tally.equal("refusals are counted", refused, 1)

        # Stopping does not wait for a query's end.
        last = sql(server, "last")
        harness.wait_until(lambda: running(server) == 1, 10, "the last runs")
        code, took = server.stop()
        tally.check("a stop ends what runs", code == 0 and took < 8, f"{code} {took:.1f} s")
        last.close()


def slow_filter():
    """Conditions that every title meets, after a walk through many states for each of its letters."""
    return "".join(f"[assetname=~^(.*[abcd].{{200}}z|.*)$|{number}]" for number in range(60))


def metrics_beyond_the_limit(tally):
    dice, sessions = random.Random(7), 60
    with harness.served_customer("--query-time-limit-s", "1") as server:
        for number in range(sessions):
            title = "".join(dice.choice("abcdefgh") for _ in range(512))
            beacon(server, f"session-{number}", title=title)
        await_attempts(server, sessions)
        easy = get(server, question(querycache=0, filter="[assetname=~^.*$]"))
        tally.check("the same rows by an easy filter: 200", attempts(easy) == sessions, f"{easy!r}")
        slow = server.send(question(querycache=0, filter=slow_filter()), headers={"X-API-Key": server.key},
                           timeout=300)
        tally.check("metricquery beyond its limit: 504, whenever the engine lets go of it",
                    slow.is_problem(504), f"{slow!r}")
        tally.equal("with the type of the document", slow.json()["type"], "/problems/timeout")
        tally.equal("and known as such", state(server, slow.headers["x-query-id"])["state"], "timeout")
        again = get(server, question(querycache=0, filter="[assetname=~^.*$]"))
        tally.check("the next query is answered", attempts(again) == sessions, f"{again!r}")


RULE = json.dumps({"name": "CDN", "metric": "failurerate", "referencewindow": 3600, "factor": 2,
                   "dimensions": ["cdn"], "severity": "Critical", "calculationperiod": 300,
                   "detectioninterval": 300})


def limit_of_time(tally):
    with harness.served_customer("--sql-time-limit-s", "1", "--query-time-limit-s", "1") as server:
        began = time.monotonic()
        answer = server.send(f"/mm-apis/sql/{CUSTOMER}", "POST", json.dumps({"sql": LONG_SQL}),
                             {"X-API-Key": server.key, "Content-Type": "application/json"})
        tally.check("SQL beyond its limit: 504", answer.is_problem(504), f"{answer!r}")
        tally.check("soon after the limit", time.monotonic() - began < 8, time.monotonic() - began)
        tally.equal("and known as such", state(server, answer.headers["x-query-id"])["state"], "timeout")


def backtests(tally):
    now = int(time.time()) // 300 * 300
    # As many intervals as may be: with a reference window two statements each.
    target = f"/mm-apis/alertrules/{CUSTOMER}/backtest?" + urllib.parse.urlencode(
        {"period": f"start={now - 300 * 300},end={now}"})
    headers = {"Content-Type": "application/json"}
    with harness.served_customer("--query-time-limit-s", "1") as server:
        beacon(server, "one")
        await_attempts(server, 1)
        answer = server.send(target, "POST", RULE, {"X-API-Key": server.key, **headers})
        tally.check("a back-test's statements share one limit of time: 504", answer.is_problem(504),
                    f"{answer!r}")
        tally.equal("a back-test is a query", state(server, answer.headers["x-query-id"])["state"], "timeout")
    with harness.served_customer() as server:
        beacon(server, "one")
        await_attempts(server, 1)
        leaving = post(server, target, RULE)
        harness.wait_until(lambda: running(server) == 1, 10, "the back-test runs")
        leaving.close()
        began = time.monotonic()
        harness.wait_until(lambda: running(server) == 0, 30, "the back-test ends")
        left = time.monotonic() - began
        began = time.monotonic()
        whole = server.send(target, "POST", RULE, {"X-API-Key": server.key, **headers}, timeout=120)
        took = time.monotonic() - began
        tally.check("a back-test ends with its client", whole.status == 200 and left < took / 2,
                    f"{left:.2f} s after it left, {took:.2f} s in all")
        counted = server.metrics()["playhead_query_seconds_count"]
        tally.check("the histogram has them", counted >= 2, counted)


if __name__ == "__main__":
    sys.exit(harness.run_cases([kept_answers, turns_and_limits, limit_of_time,
                                metrics_beyond_the_limit, backtests]))
