#!/usr/bin/env python3
"""rootcause, topmovers, engagement and ci=1 against simulated traffic with a planted incident."""
import math
import statistics
import sys
import time
import urllib.parse

import harness

BEGIN = (int(time.time()) // 3600 - 6) * 3600
PERIOD = f"start={BEGIN + 3600},end={BEGIN + 7200}"
INCIDENT = """incidents:
- {cdn: %s, device: %s, from: 60, minutes: 60, failure: 0.6}
"""
CDN, DEVICE = "CDN-B", "Smart TV"
Z = statistics.NormalDist().inv_cdf(0.975)


def smart(server, name, **parameters):
    query = urllib.parse.urlencode({"queryname": name, "period": PERIOD, "planlevel":
                                    harness.PLAN_LEVEL, **parameters})
    return server.api(f"/mm-apis/smartQuery/{harness.CUSTOMER}?{query}")


def rows_of(server, **parameters):
    query = urllib.parse.urlencode({"period": PERIOD, "sessiontype": "started", "allstatus": 1,
                                    "limit": 100000, **parameters})
    return server.api(f"/mm-apis/metricquery/{harness.CUSTOMER}?{query}")["response"]


def interval(pairs):
    """Delta method of sum x / sum y, from single sessions."""
    x, y, n = sum(p[0] for p in pairs), sum(p[1] for p in pairs), len(pairs)
    ratio = x / y
    half = Z * math.sqrt(sum((a - ratio * b) ** 2 for a, b in pairs) * n / (n - 1)) / y
    return ratio, max(ratio - half, 0), ratio + half


def finds_the_planted_cause(tally, server):
    for ci in (0, 1):
        answer = smart(server, "rootcause", metrics="failurerate", ci=ci)
        first = answer["response"][0]
        print("  ", first, answer["meta"]["elapsedms"])
        tally.equal(f"first cause, ci={ci}", (first["cdn"], first["device"]), (CDN, DEVICE))
        tally.check("it explains most", first["explained"] > 60, first["explained"])
        tally.check("by its rate", first["rateeffect"] > 3 * abs(first["mixeffect"]), first)
        tally.equal("and is worse", first["direction"], "worse")
        if ci:
            tally.check("significant", first["pvalue"] < 0.001, first["pvalue"])
    filtered = rows_of(server, metrics="failurerate,sessions", filter=first["cause"])[0]
    tally.near("cause is a filter", filtered["failurerate"], first["after"], 2e-4)
    tally.equal("of as many sessions", filtered["sessions"], first["sessions"])
    movers = smart(server, "topmovers", metrics="failurerate", depth=2)["response"]
    top = movers[0]
    tally.equal("top mover", (top["cdn"], top["device"]), (CDN, DEVICE))
    single = smart(server, "topmovers", metrics="failurerate", aggby="cdn", minsessions=1)["response"]
    tally.equal("top mover of CDNs", single[0]["cdn"], CDN)
    change = single[0]["totalafter"] - single[0]["totalbefore"]
    tally.near("effects add up", sum(row["effect"] for row in single), change, 1e-4)


def agrees_with_single_sessions(tally, server):
    sessions = rows_of(server, dimension="microscope",
                       metrics="sessionid,playdur,plays,bufferduration,watchtime,bufferingratio,"
                               "qualityofexperience,latency,failurerate,attempts")
    played = [row for row in sessions if row["plays"]]
    watched = [row for row in sessions if row["watchtime"]]
    tally.check("enough sessions", len(played) > 1000, len(played))
    got = rows_of(server, metrics="bufferingratio,avg_latency,failurerate", ci=1)[0]
    ratio, low, high = interval([(row["bufferduration"] / 60, row["watchtime"]) for row in watched])
    tally.near("bufferingratio", got["bufferingratio"], 100 * ratio, 5e-3)
    tally.near("its lower bound", got["bufferingratio_lo"], 100 * low, 5e-3)
    tally.near("its upper bound", got["bufferingratio_hi"], 100 * high, 5e-3)
    tally.equal("its sample", got["bufferingratio_n"], len(watched))
    starts = [row["latency"] for row in sessions if row["latency"] is not None]
    half = Z * statistics.stdev(starts) / math.sqrt(len(starts))
    tally.near("latency's lower bound", got["avg_latency_lo"], statistics.mean(starts) - half, 1e-3)
    tally.near("latency's upper bound", got["avg_latency_hi"], statistics.mean(starts) + half, 1e-3)
    bins = smart(server, "engagement", quality="qualityofexperience")["response"]
    scored = [row for row in played if row["qualityofexperience"] is not None]
    tally.equal("every scored play is in a bin", sum(row["sessions"] for row in bins), len(scored))
    for row in bins:
        inside = [each["playdur"] for each in scored
                  if min(int(each["qualityofexperience"] // 10), 9) * 10 == row["from"]]
        # Scores are rounded to two decimals in the rows: one may stand on the edge of a bin.
        tally.near(f"plays from {row['from']}", row["sessions"], len(inside), 1)
        if len(inside) == row["sessions"] and len(inside) > 1:
            mean = statistics.mean(inside)
            half = Z * statistics.stdev(inside) / math.sqrt(len(inside))
            tally.near("play time", row["playdur"], mean, 1e-3)
            tally.near("upper bound", row["playdur_hi"], mean + half, 1e-3)


def refuses(tally, server):
    for parameters, status, name in (({"metrics": "bufferingratoi"}, 400, "metrics"),
                                     ({"metrics": "unique_devices"}, 422, "metrics"),
                                     ({}, 400, "metrics"),
                                     ({"metrics": "latency", "depth": 4}, 400, "depth"),
                                     ({"metrics": "latency", "aggby": "cnd"}, 400, "aggby"),
                                     ({"metrics": "latency", "baseline": PERIOD}, 400, "baseline"),
                                     ({"metrics": "latency", "aggby": "adid"}, 422, "metrics")):
        query = urllib.parse.urlencode({"queryname": "rootcause", "period": PERIOD, "planlevel":
                                        harness.PLAN_LEVEL, **parameters})
        answer = server.send(f"/mm-apis/smartQuery/{harness.CUSTOMER}?{query}",
                             headers={"X-API-Key": server.key})
        good = answer.is_problem(status) and answer.json().get("parameter") == name
        tally.check(f"{parameters} is {status} {name}", good, repr(answer))


def insight(tally):
    with harness.folder("playhead-insight-") as work:
        data_dir = work / "data"
        harness.add_tenant(data_dir)
        key = harness.add_key(data_dir)
        script = work / "incidents.yaml"
        script.write_text(INCIDENT % (CDN, DEVICE))
        harness.playhead("simulate", "--data-dir", data_dir, "--sessions", 4000, "--seed", 5,
                         "--wire", "compact", "--from", BEGIN, "--hours", 2, "--incidents", script,
                         timeout=300)
        with harness.Server(data_dir) as server:
            server.key = key
            finds_the_planted_cause(tally, server)
            agrees_with_single_sessions(tally, server)
            refuses(tally, server)


if __name__ == "__main__":
    sys.exit(harness.run_cases([insight]))
