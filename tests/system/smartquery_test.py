#!/usr/bin/env python3
"""smartQuery against the simulator's truth, computed again here in plain Python from its lines."""
import collections
import datetime
import json
import statistics
import sys
import time
import urllib.parse

import harness

SESSIONS = 600
HOURS = 48
VISIT_GAP_MS = 30 * 60_000


def plays_of(truth):
    return [line for line in truth if line["counters"].get("plays")]


def by_subscriber(truth):
    """Plays of each subscriber in order of start, as (start, end, asset)."""
    found = collections.defaultdict(list)
    for line in plays_of(truth):
        names = line["dimensions"]
        if names.get("subscriberid") and names.get("assetid"):
            found[names["subscriberid"]].append(
                (line["start_ms"], line["end_ms"], names["assetid"]))
    return {subscriber: sorted(plays) for subscriber, plays in found.items()}


def visits(plays):
    """Lists of plays that follow each other within the gap."""
    out = []
    for play in plays:
        if not out or play[0] - out[-1][-1][1] > VISIT_GAP_MS:
            out.append([])
        out[-1].append(play)
    return out


def paths(truth, depth, anchor=None, backwards=False):
    """{(kind, step, from, to): [count, users, entries, exits, gaps]}"""
    cells = collections.defaultdict(lambda: [0, set(), 0, 0, []])

    def draw(subscriber, visit, index, step, link):
        after = visit[index + 1] if link else None
        cell = cells[("link" if link else "node", step, visit[index][2], after[2] if link else "")]
        cell[0] += 1
        cell[1].add(subscriber)
        cell[2] += index == 0
        cell[3] += index + link == len(visit) - 1
        if link:
            cell[4].append(max(0, after[0] - visit[index][1]) / 1000)

    for subscriber, plays in by_subscriber(truth).items():
        for visit in visits(plays):
            at = [0] if anchor is None else [i for i, p in enumerate(visit) if p[2] == anchor]
            for begin in at:
                low, high = (begin - depth, begin) if backwards else (begin, begin + depth)
                for index in range(max(low, 0), min(high, len(visit) - 1) + 1):
                    draw(subscriber, visit, index, index - begin, 0)
                    if index < min(high, len(visit) - 1):
                        draw(subscriber, visit, index, index - begin, 1)
    return cells


def retention(truth):
    cohorts, cells = collections.defaultdict(set), collections.defaultdict(set)
    for subscriber, plays in by_subscriber(truth).items():
        days = [datetime.datetime.fromtimestamp(p[0] / 1000, datetime.timezone.utc).date()
                for p in plays]
        cohorts[str(min(days))].add(subscriber)
        for day in days:
            cells[str(min(days)), (day - min(days)).days].add(subscriber)
    return {(cohort, unit): (len(cohorts[cohort]), len(users))
            for (cohort, unit), users in cells.items()}


class Asker:
    def __init__(self, server, period):
        self.server, self.period = server, period

    def target(self, name, **inputs):
        words = urllib.parse.urlencode(
            {"planlevel": harness.PLAN_LEVEL, "queryname": name, "period": self.period, **inputs})
        return f"/mm-apis/smartQuery/{harness.CUSTOMER}?{words}"

    def rows(self, name, **inputs):
        return self.server.api(self.target(name, limit=100000, **inputs))["response"]

    def send(self, name, **inputs):
        return self.server.send(self.target(name, **inputs),
                                headers={"X-API-Key": self.server.key})


def compare_paths(tally, what, rows, expected):
    told = {(row["kind"], row["step"], row["from"], row["to"]):
            [row["count"], row["users"], row["entries"], row["exits"]] for row in rows}
    tally.check(f"{what}: there are links", any(row["kind"] == "link" for row in rows))
    tally.equal(f"{what}: nodes and links", told, {
        key: [cell[0], len(cell[1]), cell[2], cell[3]] for key, cell in expected.items()})
    worst = max((abs(row["mediangap"] - statistics.median(
        expected[row["kind"], row["step"], row["from"], row["to"]][4]))
        for row in rows if row["kind"] == "link"), default=0)
    tally.check(f"{what}: median gaps", worst <= 1, f"{worst} s off")


def compare_lists(tally, asker, truth):
    plays, attempts, failures = (collections.Counter() for _ in range(3))
    asset_plays, asset_viewers = collections.Counter(), collections.defaultdict(set)
    completions = collections.Counter()
    for line in truth:
        names, counters = line["dimensions"], line["counters"]
        subscriber, asset = names.get("subscriberid", ""), names.get("assetid", "")
        if subscriber:
            attempts[subscriber] += counters.get("attempts", 0)
            plays[subscriber] += counters.get("plays", 0)
            failures[subscriber] += counters.get("startup_failures", 0)
        if asset:
            asset_plays[asset] += counters.get("plays", 0)
            # What only the end can tell is counted once the session is over (decision 0003); one
            # that was abandoned is still open here.
            if counters.get("completions") and line["viewstatus"] == "DROPPED":
                found = asker.server.session(line["sessionid"])["session"]
                tally.equal("contentinsights: an abandoned session is still open",
                            found["viewstatus"], "RUNNING")
            else:
                completions[asset] += counters.get("completions", 0)
            if counters.get("plays"):
                asset_viewers[asset].add(subscriber)
    rows = asker.rows("subscriberlist")
    tally.equal("subscriberlist: attempts", {r["subscriberid"]: r["attempts"] for r in rows},
                dict(attempts))
    tally.equal("subscriberlist: plays", {r["subscriberid"]: r["viewercount"] for r in rows},
                {name: plays[name] for name in attempts})
    scores = [r["qualityofexperience"] for r in rows if r["qualityofexperience"] is not None]
    tally.check("subscriberlist: worst first", len(scores) > 10 and scores == sorted(scores))
    rows = asker.rows("contentinsights")
    tally.equal("contentinsights: plays", {r["assetid"]: r["viewercount"] for r in rows},
                dict(asset_plays))
    tally.equal("contentinsights: viewers",
                {r["assetid"]: r["uniqueviewercount"] for r in rows if r["uniqueviewercount"]},
                {asset: len(users) for asset, users in asset_viewers.items()})
    tally.equal("contentinsights: completion",
                {r["assetid"]: r["completionrate"] for r in rows if r["viewercount"]},
                {asset: round(completions[asset] * 100 / n, 4)
                 for asset, n in asset_plays.items() if n})
    subscriber = max(attempts, key=lambda name: (attempts[name], name))
    rows = asker.rows("subscribersessions", subscriberid=subscriber)
    tally.equal("subscribersessions: the sessions", sorted(r["sessionid"] for r in rows), sorted(
        line["sessionid"] for line in truth
        if line["dimensions"].get("subscriberid") == subscriber))
    story, = asker.rows("subscriberinsight", subscriberid=subscriber)
    tally.equal("subscriberinsight: figures",
                [story["attempts"], story["viewercount"],
                 sum(d["attempts"] for d in story["devices"]),
                 sum(d["attempts"] for d in story["places"]),
                 sum(d["attempts"] for d in story["trend"])],
                [attempts[subscriber], plays[subscriber]] + [attempts[subscriber]] * 3)


def against_truth(tally):
    with harness.served_customer() as server, harness.folder() as work:
        begin = int(time.time()) // 86400 * 86400 - 3 * 86400
        harness.playhead(
            "simulate", "--to", server.url, "--customer", harness.CUSTOMER, "--sessions", SESSIONS,
            "--from", begin, "--hours", HOURS, "--wire", "compact", "--seed", 11, "--truth",
            work / "truth.ndjson", timeout=300)
        truth = [json.loads(line) for line in (work / "truth.ndjson").read_text().splitlines()]
        asker = Asker(server, f"start={begin - 86400},end={begin + 4 * 86400}")
        harness.wait_until(
            lambda: sum(r["attempts"] for r in asker.rows("contentinsights")) == sum(
                line["counters"].get("attempts", 0) for line in truth), 120, "all sessions stored")
        for depth in (1, 6):
            compare_paths(tally, f"contentpaths depth {depth}",
                          asker.rows("contentpaths", depth=depth), paths(truth, depth))
        asset = collections.Counter(
            visit[1][2] for plays in by_subscriber(truth).values() for visit in visits(plays)
            if len(visit) > 1).most_common(1)[0][0]
        for name, backwards in (("contentpathsfrom", False), ("contentpathsto", True)):
            rows = asker.rows(name, assetid=asset, depth=3)
            told = {(r["kind"], r["step"], r["from"], r["to"]):
                    [r["count"], r["users"], r["entries"], r["exits"]] for r in rows}
            tally.equal(name, told, {
                key: [cell[0], len(cell[1]), cell[2], cell[3]]
                for key, cell in paths(truth, 3, asset, backwards).items()})
        tally.equal("retention", {
            (r["cohort"], r["unit"]): (r["size"], r["users"]) for r in asker.rows("retention")},
            retention(truth))
        compare_lists(tally, asker, truth)
        curve = [r["viewers"] for r in asker.rows("contentanalysis", assetid=asset)]
        tally.check("contentanalysis: a falling curve",
                    len(curve) == 101 and curve[0] > 0 and curve == sorted(curve, reverse=True))
        tally.equal("realtime: 60 steps", len(asker.rows("realtime")), 60)
        refusals(tally, asker)


def refusals(tally, asker):
    unknown = asker.send("contentpath")
    tally.check("unknown name: 400 with the list", unknown.is_problem(400)
                and "contentpathsfrom" in unknown.body.decode(), repr(unknown))
    for what, status, name, inputs in (
            ("depth 10^9", 400, "contentpaths", {"depth": 10 ** 9}),
            ("NUL in an id", 400, "subscriberinsight", {"subscriberid": "a\0b"}),
            ("no asset", 400, "contentanalysis", {}),
            ("unknown subscriber", 404, "subscriberinsight", {"subscriberid": "nobody"}),
            ("unknown parameter", 400, "contentpaths", {"dpeth": 2}),
            ("negative page", 400, "contentpaths", {"offset": -1})):
        answer = asker.send(name, **inputs)
        tally.check(f"{what}: {status}", answer.is_problem(status), repr(answer))


if __name__ == "__main__":
    sys.exit(harness.run_cases([against_truth]))
