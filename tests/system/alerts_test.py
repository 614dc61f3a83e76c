"""Threshold rules: tried on history, evaluated by the server, across kill -9; and their refusals.

Offline traffic with an incident (one CDN bad on phones); every interval that a back-test shows is
compared with the simulator's truth. Then the evaluator meets the same incident: the alert opens with
the right values, is acknowledged, survives kill -9 without a second one, and resolves; its webhook,
down at first, gets both messages once. No minute passes: `alerts.settle_s` says how far the evaluator
goes.
"""
import base64
import collections
import hashlib
import hmac
import json
import sys
import time

import harness
from harness import CUSTOMER, PLAN_LEVEL

OTHER = CUSTOMER + 1
RULES = f"/mm-apis/alertrules/{CUSTOMER}"
INTERVAL = 300
RULE = {"name": "CDN on a device", "metric": "failurerate", "threshold": 40,
        "dimensions": ["cdn", "device"], "calculationperiod": INTERVAL,
        "detectioninterval": INTERVAL, "minattempts": 5, "minusers": 3, "severity": "Critical"}
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
    harness.playhead("simulate", "--data-dir", data_dir, "--sessions", 600, "--hours", 1,
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


class Hook(harness.Loopback):
    """A webhook's receiver that refuses until told otherwise, and checks signatures by itself."""

    def __init__(self, secret):
        self.key, self.messages, self.refused, self.forged = secret, [], 0, 0
        self.taking = False
        hook = self

        class Handler(harness.QuietHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                name, at = self.headers["webhook-id"], self.headers["webhook-timestamp"]
                mac = hmac.new(hook.key, f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
                good = self.headers["webhook-signature"] == "v1," + base64.b64encode(mac).decode()
                hook.forged += not good or abs(int(at) - time.time()) > 60
                if hook.taking:
                    hook.messages.append((name, json.loads(body)))
                else:
                    hook.refused += 1
                self.send_response(204 if hook.taking else 503)
                self.end_headers()

        super().__init__(Handler)


def settled_at(moment):
    """The flags under which the evaluator stands at that moment of the history, and no later: an
    operator's setting, here in place of waiting for the clock."""
    return ("--alerts-settle-s", str(int(time.time() - moment)), "--alerts-webhook-networks",
            "127.0.0.0/8")


def watch(tally, data_dir, begin):
    """The incident from 20 to 40 minutes, as the evaluator meets it: before, in it, after it; with a
    kill -9 while it is on and the webhook is down."""
    secret = b"0123456789abcdef01234567"
    with Hook(secret) as hook:
        rule = {**RULE, "notify": [f"{hook.url}/a-secret-path"],
                "notifysecret": "whsec_" + base64.b64encode(secret).decode()}
        watch_history(tally, data_dir, begin, rule, hook)


def watch_history(tally, data_dir, begin, rule, hook):
    key = harness.add_key(data_dir, scope="admin")
    with harness.Server(data_dir, *settled_at(begin + 5 * 60)) as server:
        server.key = key
        for name, change in (("loopback by name", {"notify": ["https://localhost/x"]}),
                             ("a cloud's metadata", {"notify": ["https://169.254.169.254/x"]}),
                             ("no secret", {"notifysecret": "whsec_c2hvcnQ="})):
            answer = call(server, "POST", RULES, key, {**rule, **change})
            tally.check(f"{name}: 400 that names it", answer.is_problem(400) and
                        answer.json()["parameter"] == next(iter(change)), repr(answer))
        tried = call(server, "POST", f"{RULES}/backtest?period=start={begin},end={begin + 3600}",
                     key, rule).json()["response"]
        tally.equal("the back-test finds one episode", [each["dimension"] for each in tried], [BAD])
        tried = tried[0]
        made = call(server, "POST", RULES, key, rule)
        tally.equal("rule made", made.status, 201)
        tally.check("the secret is shown to nobody", b"whsec" not in made.body)
        made = made.json()
        target = f"{RULES}/{made['id']}"
        tally.equal("and shown", call(server, "GET", target, key).json(), made)
        tally.equal("in the list", server.api(RULES)["response"], [made])
        tally.equal("changed without its secret", call(server, "PUT", target, key, {
            name: value for name, value in rule.items() if name != "notifysecret"}).status, 200)
        made = call(server, "GET", target, key).json()
        # The evaluator notes where a rule begins; looked at every 2 s.
        time.sleep(4)
        code, seconds = server.stop()
        tally.check("stops at once", code == 0 and seconds < 10, f"{code}, {seconds} s")
    with harness.Server(data_dir, *settled_at(begin + 31 * 60)) as server:
        server.key = key
        rows = harness.wait_until(lambda: alerts(server), 30, "an alert opens")
        tally.check("the alert names the bad combination and no other",
                    [row["dimension"] for row in rows] == [BAD], str(rows))
        row = rows[0]
        tally.equal("its fields", [row[name] for name in (
            "alertname", "alerttype", "metric", "severity", "status", "endtime", "upper", "lower",
            "direction", "calculationperiod", "note")],
            [RULE["name"], "Manual", "failurerate", "Critical", "Open", None, 40, None, "above",
             INTERVAL, ""])
        tally.equal("it began when the back-test says", row["starttime"], tried["starttime"])
        tally.check("its value is above the threshold", row["value"] > 40 and
                    row["attempts"] >= 5 and row["affectedsessions"] >= 3, str(row))
        tally.check("sessions that failed", row["sampleSessions"] and all(
            server.session(name)["session"]["viewstatus"] == "FAILED"
            for name in row["sampleSessions"]), str(row["sampleSessions"]))
        for cause in row["rootcause"]:
            tally.check("a cause is a change for the worse within the combination",
                        cause["direction"] == "worse" and
                        cause["after"] > (cause["before"] or 0) and
                        not any(name in cause["cause"] for name in BAD), str(cause))
        ack = call(server, "POST", f"/mm-apis/getAIAlerts/{CUSTOMER}/{row['alertid']}/ack", key,
                   {"note": "on it"})
        tally.equal("acknowledged", [ack.json()["status"], ack.json()["note"]],
                    ["Acknowledged", "on it"])
        harness.wait_until(lambda: hook.refused >= 2, 20, "the webhook is tried again")
        tally.equal("nobody was notified yet", alerts(server)[0]["notified"], [])
        server.kill()
    hook.taking = True
    with harness.Server(data_dir, *settled_at(begin + 31 * 60)) as server:
        server.key = key
        again = alerts(server)
        tally.equal("after kill -9: the same alert, once, acknowledged",
                    [(row["alertid"], row["status"], row["note"]) for row in again],
                    [(row["alertid"], "Acknowledged", "on it")])
        harness.wait_until(lambda: alerts(server)[0]["notified"], 20, "the message is not lost")
        tally.equal("who was notified, without what may be secret", alerts(server)[0]["notified"],
                    [hook.url])
        server.kill()
    with harness.Server(data_dir, *settled_at(begin + 61 * 60)) as server:
        server.key = key
        harness.wait_until(lambda: alerts(server, more="&status=Resolved"), 30, "it resolves")
        rows = alerts(server)
        tally.equal("resolved, and still one", [(row["alertid"], row["status"], row["note"])
                                               for row in rows],
                    [(again[0]["alertid"], "Resolved", "on it")])
        tally.equal("it ended when the back-test says, as bad", [
            rows[0][name] for name in ("endtime", "value", "attempts", "affectedsessions")], [
            tried[name] for name in ("endtime", "value", "attempts", "affectedsessions")])
        harness.wait_until(lambda: len(hook.messages) >= 2, 20, "the resolution is told")
        tally.equal("both messages, in order, each once",
                    [(body["type"], body["data"]["alertid"]) for _, body in hook.messages],
                    [("alert.opened", again[0]["alertid"]), ("alert.resolved", again[0]["alertid"])])
        tally.check("under ids of their own", len({name for name, _ in hook.messages}) == 2)
        tally.check("with the values of the alert", 40 < hook.messages[0][1]["data"]["value"] <=
                    row["value"] and hook.messages[0][1]["data"]["dimension"] == BAD)
        tally.equal("and no signature was wrong", hook.forged, 0)
        tally.equal("a resolved alert cannot be acknowledged", call(
            server, "POST", f"/mm-apis/getAIAlerts/{CUSTOMER}/{rows[0]['alertid']}/ack",
            key).status, 409)
        other_key = harness.add_key(data_dir, customer=OTHER)
        tally.equal("another customer sees none", alerts(server, other_key, OTHER), [])
        tally.equal("none of another severity", alerts(server, more="&severity=Info"), [])
        tally.equal("rule changed", call(server, "PUT", target, key, {
            **rule, "enabled": False}).json()["revision"], made["revision"] + 1)
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
        watch(tally, data_dir, begin)


if __name__ == "__main__":
    sys.exit(harness.run_cases([rules_and_alerts]))
