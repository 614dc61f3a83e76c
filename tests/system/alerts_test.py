"""Threshold rules: tried on history, evaluated live, across a kill -9; and their refusals.

History: offline traffic with an incident (one CDN bad on phones); every interval that a back-test
shows is compared with the simulator's truth. Live: the same incident in traffic that happens now;
the alert opens with the right values, is acknowledged, survives kill -9 without a second one, and
resolves.
"""
import collections
import json
import subprocess
import sys
import time

import harness
from harness import CUSTOMER, PLAN_LEVEL

OTHER = CUSTOMER + 1
RULES = f"/mm-apis/alertrules/{CUSTOMER}"
INTERVAL = 300
RULE = {"name": "CDN on a device", "metric": "failurerate", "threshold": 40,
        "dimensions": ["cdn", "device"], "calculationperiod": INTERVAL,
        "detectioninterval": INTERVAL, "minattempts": 8, "minusers": 3, "severity": "Critical"}
BAD = {"cdn": "CDN-A", "device": "Smartphone"}


def call(server, method, target, key, body=None):
    return server.send(target, method, None if body is None else json.dumps(body),
                       {"X-API-Key": key, "Content-Type": "application/json"}, timeout=120)


def alerts(server, key=None, customer=CUSTOMER, more=""):
    target = f"/mm-apis/getAIAlerts/{customer}?planlevel={PLAN_LEVEL}&period=last=1d{more}"
    return server.api(target, key)["response"]


def truth_by_interval(path):
    """(interval end, cdn, device) → [attempts, startup failures], from the simulator's truth."""
    counts = collections.defaultdict(lambda: [0, 0])
    for line in path.read_text().splitlines():
        session = json.loads(line)
        end = session["start_ms"] // 1000 // INTERVAL * INTERVAL + INTERVAL
        place = counts[end, session["dimensions"].get("cdn", ""),
                       session["dimensions"].get("device", "")]
        place[0] += session["counters"].get("attempts", 0)
        # The server of this test has no list of business errors, so those are failures like others.
        place[1] += (session["counters"].get("startup_failures", 0) +
                     session["counters"].get("startup_business_failures", 0))
    return counts


def prepare(work):
    """A data directory with two customers and an hour of traffic with an incident."""
    data_dir = work / "data"
    harness.add_tenant(data_dir)
    harness.add_tenant(data_dir, customer=OTHER)
    incidents = work / "incidents.yaml"
    incidents.write_text("- {cdn: CDN-A, device: Smartphone, from: 20, minutes: 20, failure: 0.9}")
    begin = int(time.time()) // INTERVAL * INTERVAL - 3 * 3600
    harness.playhead("simulate", "--data-dir", data_dir, "--sessions", 1200, "--hours", 1,
                     "--from", begin, "--seed", 3, "--wire", "compact", "--incidents", incidents,
                     "--truth", work / "truth.ndjson", timeout=300)
    return data_dir, begin


def try_on_history(tally, server, key, work, begin):
    period = f"period=start={begin},end={begin + 3600}"
    tried = call(server, "POST", f"{RULES}/backtest?{period}", key, RULE)
    if not tally.equal("back-test answers", tried.status, 200):
        return print(tried)
    tried = tried.json()
    episodes = tried["response"]
    tally.check("the incident is found", any(
        row["dimension"] == BAD and row["starttime"] <= begin + 20 * 60 + INTERVAL
        and begin + 30 * 60 <= row["endtime"] <= begin + 40 * 60 + INTERVAL for row in episodes),
        str(episodes))
    tally.check("and nothing else", all(row["dimension"] == BAD for row in episodes),
                str(episodes))
    tally.check("with sessions that failed", episodes and len(episodes[0]["sampleSessions"]) > 0
                and all(server.session(name)["session"]["viewstatus"] == "FAILED"
                        for name in episodes[0]["sampleSessions"]), str(episodes[:1]))
    truth = truth_by_interval(work / "truth.ndjson")
    compared, wrong = 0, []
    for interval in tried["intervals"]:
        for row in interval["values"]:
            place = row["dimension"]
            attempts, failures = truth[interval["time"], place["cdn"], place["device"]]
            expected = failures * 100 / attempts if attempts else None
            compared += 1
            if row["attempts"] != attempts or abs(row["value"] - expected) > 1e-6:
                wrong.append((interval["time"], row, attempts, failures))
    tally.check("values of every interval are those of the truth", compared > 100 and not wrong,
                f"{compared} compared, {wrong[:3]}")


def errors_add_up(tally, server):
    """Single errors against the counters of slices: two tables, written apart."""
    target = (f"/mm-apis/error/{CUSTOMER}?planlevel={PLAN_LEVEL}&period=last=6h"
              "&metrics=errors,warnings")
    whole = server.api(target)["response"][0]
    for aggby in ("errorcode", "errortype,errorphase", "cdn,errormessage"):
        rows = server.api(f"{target}&aggby={aggby}")["response"]
        tally.equal(f"errors by {aggby} add up", [sum(row["errors"] for row in rows),
                                                 sum(row["warnings"] for row in rows)],
                    [whole["errors"], whole["warnings"]])
    tally.check("and there are some", whole["errors"] > 20 and whole["warnings"] > 20, str(whole))


def refusals(tally, server, key):
    read_key = harness.add_key(server.data_dir)
    for name, body, status, parameter in (
            ("unknown metric", {**RULE, "metric": "failurerat"}, 400, "metric"),
            ("unknown dimension", {**RULE, "dimensions": ["cdm"]}, 400, "dimensions"),
            ("bad filter", {**RULE, "filter": "[cdn"}, 400, "filter"),
            ("unknown field", {**RULE, "treshold": 1}, 400, "treshold"),
            ("wrong type", {**RULE, "threshold": "x"}, 400, "threshold"),
            ("a metric without that dimension", {**RULE, "dimensions": ["adid"]}, 422, "metric")):
        answer = call(server, "POST", RULES, key, body)
        tally.check(f"{name}: {status} that names it", answer.is_problem(status) and
                    answer.json().get("parameter") == parameter, repr(answer))
    for name, answer, status in (
            ("no JSON", server.send(RULES, "POST", "{", {"X-API-Key": key}), 400),
            ("a reading key may not write", call(server, "POST", RULES, read_key, RULE), 403),
            ("nor acknowledge", call(server, "POST",
                                     f"/mm-apis/getAIAlerts/{CUSTOMER}/x/ack", read_key), 403),
            ("no credential", server.send(RULES, "POST", json.dumps(RULE)), 401),
            ("another customer", call(server, "GET", f"/mm-apis/alertrules/{OTHER}", key), 403),
            ("unknown rule", call(server, "PUT", f"{RULES}/none", key, RULE), 404),
            ("unknown alert", call(server, "POST", f"/mm-apis/getAIAlerts/{CUSTOMER}/none/ack",
                                   key), 404),
            ("too long a back-test", call(server, "POST", f"{RULES}/backtest?period=last=30d", key,
                                          RULE), 400),
            ("no plan level", call(server, "GET",
                                   f"/mm-apis/getAIAlerts/{CUSTOMER}?period=last=1d", key), 400),
            ("unknown order", call(server, "GET", f"/mm-apis/getAIAlerts/{CUSTOMER}?planlevel="
                                   f"{PLAN_LEVEL}&period=last=1d&orderby=nonsense", key), 400)):
        tally.check(f"{name}: {status}", answer.is_problem(status), repr(answer))


class Live:
    """Traffic that happens now: each minute some sessions begin, with or without the incident."""

    def __init__(self, server, work):
        self.server, self.work, self.seed, self.begun = server, work, 100, 0
        self.process = None

    def minute(self, bad):
        self.end()
        wait = self.begun + 60 - time.monotonic() if self.begun else 0
        time.sleep(max(0, wait))
        self.begun = time.monotonic()
        self.seed += 1
        incidents = self.work / "live.yaml"
        incidents.write_text(
            f"- {{cdn: CDN-A, device: Smartphone, from: 0, minutes: 9, failure: "
            f"{0.95 if bad else 0.0}}}")
        self.process = subprocess.Popen(
            [harness.BINARY, "simulate", "--live", "--to", self.server.url, "--customer",
             str(CUSTOMER), "--concurrent", "150", "--seconds", "25", "--seed", str(self.seed),
             "--wire", "compact", "--incidents", str(incidents)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def end(self):
        if self.process is not None:
            self.process.wait(60)
            self.process.stderr.close()
            self.process = None


def watch_live(tally, data_dir, work):
    rule = {**RULE, "calculationperiod": 60, "detectioninterval": 60, "minusers": 1,
            "resolution": 1}
    with harness.Server(data_dir) as server:
        server.key = key = harness.add_key(data_dir, scope="admin")
        made = call(server, "POST", RULES, key, rule)
        tally.equal("rule made", made.status, 201)
        made = made.json()
        target = f"{RULES}/{made['id']}"
        tally.equal("and shown", call(server, "GET", target, key).json(), made)
        tally.equal("in the list", server.api(RULES)["response"], [made])
        live = Live(server, work)
        live.minute(bad=False)
        for _ in range(3):
            live.minute(bad=True)
        live.end()
        rows = harness.wait_until(lambda: alerts(server), 150, "an alert opens")
        tally.check("the alert names the bad combination and no other",
                    [row["dimension"] for row in rows] == [BAD], str(rows))
        row = rows[0]
        tally.equal("its fields", [row[name] for name in (
            "alertname", "alerttype", "metric", "severity", "status", "endtime", "upper", "lower",
            "direction", "calculationperiod", "rootcause", "notified", "note")],
            [RULE["name"], "Manual", "failurerate", "Critical", "Open", None, 40, None, "above",
             60, [], [], ""])
        tally.check("its value is above the threshold", row["value"] > 40 and
                    row["attempts"] >= 8 and row["affectedsessions"] >= 5, str(row))
        tally.check("sessions that failed", row["sampleSessions"] and all(
            server.session(name)["session"]["viewstatus"] == "FAILED"
            for name in row["sampleSessions"]), str(row["sampleSessions"]))
        ack = call(server, "POST", f"/mm-apis/getAIAlerts/{CUSTOMER}/{row['alertid']}/ack", key,
                   {"note": "on it"})
        tally.equal("acknowledged", [ack.json()["status"], ack.json()["note"]],
                    ["Acknowledged", "on it"])
        server.kill()
    with harness.Server(data_dir) as server:
        server.key = key
        again = alerts(server)
        tally.equal("after kill -9: the same alert, once, acknowledged",
                    [(row["alertid"], row["status"], row["note"]) for row in again],
                    [(row["alertid"], "Acknowledged", "on it")])
        live = Live(server, work)
        for _ in range(2):
            live.minute(bad=False)
        live.end()
        harness.wait_until(lambda: alerts(server, more="&status=Resolved"), 150, "it resolves")
        rows = alerts(server)
        tally.equal("resolved, and still one", [(row["alertid"], row["status"], row["note"])
                                               for row in rows],
                    [(again[0]["alertid"], "Resolved", "on it")])
        tally.check("it ended after it began", rows[0]["endtime"] > rows[0]["starttime"])
        tally.equal("a resolved alert cannot be acknowledged", call(
            server, "POST", f"/mm-apis/getAIAlerts/{CUSTOMER}/{rows[0]['alertid']}/ack",
            key).status, 409)
        other_key = harness.add_key(data_dir, customer=OTHER)
        tally.equal("another customer sees none", alerts(server, other_key, OTHER), [])
        tally.equal("none of another severity", alerts(server, more="&severity=Info"), [])
        tally.equal("rule changed", call(server, "PUT", target, key,
                                         {**rule, "enabled": False}).json()["revision"], 2)
        tally.equal("rule removed", call(server, "DELETE", target, key).status, 204)
        tally.equal("and gone", call(server, "GET", target, key).status, 404)


def rules_and_alerts(tally):
    with harness.folder("playhead-alerts-") as work:
        data_dir, begin = prepare(work)
        with harness.Server(data_dir) as server:
            server.key = harness.add_key(data_dir, scope="admin")
            try_on_history(tally, server, server.key, work, begin)
            errors_add_up(tally, server)
            refusals(tally, server, server.key)
        watch_live(tally, data_dir, work)


if __name__ == "__main__":
    sys.exit(harness.run_cases([rules_and_alerts]))
