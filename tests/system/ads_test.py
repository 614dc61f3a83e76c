#!/usr/bin/env python3
"""Lists of sessions by what only their ads have, over the wire, against the simulator's truth."""
import collections
import json
import sys
import time
import urllib.parse

import harness
from harness import CUSTOMER


def truth_by_ad(path):
    """Ad id → session → [impressions, completions]."""
    counts = collections.defaultdict(lambda: collections.defaultdict(lambda: [0, 0]))
    for line in path.read_text().splitlines():
        session = json.loads(line)
        for ad in session["ads"]:
            place = counts[ad["id"]][session["sessionid"]]
            place[0] += ad["impression_ms"] > 0
            place[1] += ad["completed"]
    return counts


def listed(server, path, begin, **query):
    query = {"period": f"start={begin},end={begin + 86400}", "allstatus": 1, "limit": 10000, **query}
    return server.api(f"/mm-apis/{path}/{CUSTOMER}?" + urllib.parse.urlencode(query))["response"]


def lists_of_sessions(tally):
    with harness.folder() as work:
        data, truth_file = work / "data", work / "truth.ndjson"
        harness.add_tenant(data)
        key = harness.add_key(data)
        begin = int(time.time()) // 3600 * 3600 - 12 * 3600
        harness.playhead("simulate", "--data-dir", data, "--sessions", 150, "--hours", 1, "--from", begin,
                         "--seed", 5, "--wire", "long", "--block-minutes", 10, "--truth",
                         truth_file, timeout=240)
        truth = truth_by_ad(truth_file)
        with harness.Server(data) as server:
            server.key = key
            wrong, compared = [], 0
            for ad, sessions in truth.items():
                rows = listed(server, "listsessions", begin, metrics="adimpression,adcompletions",
                              filter=f"[adid={ad}]")
                found = {row["sessionid"]: [row["adimpression"], row["adcompletions"]] for row in rows}
                compared += len(sessions)
                if found != sessions:
                    wrong.append((ad, found, dict(sessions)))
            tally.check("sessions by ad, with what was seen of it, are those of the truth",
                        compared > 50 and len(truth) > 5 and not wrong, f"{compared} compared, {wrong[:2]}")

            # A column of ads beside the same sums: its value is one of the session's own.
            rows = listed(server, "listsessions", begin, metrics="adimpression,adid,adposition")
            of_session = collections.defaultdict(lambda: [0, set()])
            for ad, sessions in truth.items():
                for session, (impressions, _) in sessions.items():
                    of_session[session][0] += impressions
                    of_session[session][1].add(ad)
            tally.equal("sessions that had ads, and no others", {row["sessionid"] for row in rows},
                        set(of_session))
            bad = [row for row in rows if row["adimpression"] != of_session[row["sessionid"]][0]
                   or row["adid"] not in of_session[row["sessionid"]][1]]
            tally.check("each with all its impressions and one of its ads", not bad, bad[:3])

            target = f"/mm-apis/listsessions/{CUSTOMER}?period=last=24h&metrics=latency,adposition"
            refused = server.send(target, headers={"X-API-Key": key})
            tally.check("a metric that single ads do not have is a 422", refused.is_problem(422), f"{refused!r}")


if __name__ == "__main__":
    sys.exit(harness.run_cases([lists_of_sessions]))
