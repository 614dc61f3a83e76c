#!/usr/bin/env python3
"""Hostile input on every door: clear 4xx (204 for CMCD), nothing stored, memory bounded, alive."""
import gzip
import json
import socket
import sys
import threading
import time
import urllib.parse

import harness
from harness import CUSTOMER

JSON = {"Content-Type": "application/json"}
GROWTH_KIB = 400 * 1024


def record(**more):
    stream = {"custId": CUSTOMER, "sessionId": "bad", "pId": "p1", "dataSrc": "Player"}
    stream.update(more.pop("stream", {}))
    return {"version": "2.0.0", "timestamp": 1795420000000, "pbTime": 0, "playDur": 0,
            "qubitData": [{"streamID": stream, "pbEventInfo": {"event": "START"}, **more}]}


def without(name):
    made = record()
    made["qubitData"][0]["streamID"].pop(name)
    return json.dumps(made)


def bodies_to_refuse():
    good = json.dumps(record())
    return {
        "nothing": "", "blank": "   ", "truncated": good[:-7], "half": good[:len(good) // 2],
        "two values": good + good, "rubbish behind": good + "x", "a text": '"text"',
        "a number": "7", "null": "null", "not JSON": "<xml/>",
        "deep array": "[" * 100_000, "deep and closed": "[" * 5000 + "]" * 5000,
        "deep object": '{"qubitData":' * 3000 + "1" + "}" * 3000,
        "NaN": good.replace("1795420000000", "NaN"),
        "Infinity": good.replace("1795420000000", "-Infinity"),
        "leading zero": good.replace("1795420000000", "01795420000000"),
        "hexadecimal": good.replace("1795420000000", "0x1A"),
        "invalid UTF-8": good.encode().replace(b"START", b"ST\xff\xfeRT"),
        "overlong UTF-8": good.encode().replace(b"START", b"ST\xc0\xafRT"),
        "UTF-16": good.encode("utf-16"), "a zero byte": good.replace("START", "ST\0RT"),
        "surrogate alone": good.replace("START", "\\ud800"),
        "bad escape": good.replace("START", "\\x41"),
        "no customer": without("custId"), "no session": without("sessionId"),
        "customer null": json.dumps(record(stream={"custId": None})),
        "customer a name": json.dumps(record(stream={"custId": "acme"})),
        "customer negative": json.dumps(record(stream={"custId": -5})),
        "customer a fraction": json.dumps(record(stream={"custId": 1.5})),
        "customer too large": json.dumps(record(stream={"custId": 10 ** 30})),
        "session a list": json.dumps(record(stream={"sessionId": [1]})),
        "qubitData a text": '{"qubitData":"x"}',
        "100000 keys": json.dumps({**record(), **{f"k{at}": at for at in range(100_001)}}),
        "5000 records": json.dumps([record() for _ in range(5000)]),
        "one bad among good": json.dumps([record(), json.loads(without("sessionId"))]),
        "5 MiB": good[:-1] + " " * (5 << 20) + "}",
    }


def refused_bodies(tally):
    with harness.served_customer() as server:
        begin = server.resident_kib()
        for name, body in bodies_to_refuse().items():
            data = body.encode() if isinstance(body, str) else body
            answer = server.send("/produce", "POST", data, JSON)
            tally.check(f"produce, {name}: 4xx problem", answer.is_problem(400, 413, 422),
                        repr(answer))
        other = json.dumps(record(stream={"custId": 4711})).encode()
        tally.check("produce, unknown customer: 403",
                    server.send("/produce", "POST", other, JSON).is_problem(403))
        for name, headers, data in compressed():
            answer = server.send("/produce", "POST", data, {**JSON, **headers})
            tally.check(f"produce, {name}: 4xx problem", answer.is_problem(400, 413, 415),
                        repr(answer))
        grown = server.resident_kib() - begin
        tally.check("memory stays bounded", grown < GROWTH_KIB, f"{grown} KiB more")
        nothing_stored(tally, server)


def compressed():
    good = json.dumps(record()).encode()
    bomb = gzip.compress(b" " * (512 << 20), 9)
    nested = gzip.compress(gzip.compress(b" " * (64 << 20)))
    yield "gzip bomb", {"Content-Encoding": "gzip"}, bomb
    yield "gzip in gzip", {"Content-Encoding": "gzip, gzip"}, nested
    yield "truncated gzip", {"Content-Encoding": "gzip"}, gzip.compress(good)[:-6]
    yield "gzip that is none", {"Content-Encoding": "gzip"}, good
    yield "unknown coding", {"Content-Encoding": "lzma"}, good
    yield "rubbish behind gzip", {"Content-Encoding": "gzip"}, gzip.compress(good) + b"rubbish"


def nothing_stored(tally, server):
    """No session, live or closed, and no event: the server is stopped to look."""
    good = harness.smartsight_event("good", "START", "g1", int(time.time() * 1000))
    tally.equal("a good beacon is still taken",
                server.send("/produce", "POST", good, JSON).status, 200)
    harness.wait_until(lambda: server.session("good"), 10, "the good session")
    tally.equal("healthz", server.send("/healthz").status, 200)
    code, _ = server.stop()
    tally.equal("clean stop", code, 0)
    counted = harness.playhead(
        "sql", "--data-dir", server.data_dir, "--format", "TSV",
        "SELECT (SELECT count() FROM sessions WHERE sessionid != 'good') + (SELECT count() FROM "
        "live_sessions WHERE sessionid != 'good') + (SELECT count() FROM events WHERE sessionid "
        "!= 'good') + (SELECT count() FROM app_events)").stdout.strip()
    tally.equal("nothing of it is in the store", counted, "0")


def tolerated_values(tally):
    """Values that are wrong one by one are left out; the rest of the beacon counts."""
    with harness.served_customer() as server:
        now = int(time.time() * 1000)
        for name, more in {
            "times of wrong types": {"timestamp": "soon", "pbTime": [], "playDur": {}},
            "negative times": {"timestamp": -5, "pbTime": -1, "playDur": -100},
            "absurd times": {"timestamp": 10 ** 18, "pbTime": 1e300, "playDur": 1e308},
            "unknown keys": {"nobody": {"knows": [1, 2, {"this": None}]}},
            "version a number": {"version": 2},
        }.items():
            session = "odd " + name
            body = {**record(stream={"sessionId": session}), "timestamp": now, **more}
            answer = server.send("/produce", "POST", json.dumps(body).encode(), JSON)
            tally.check(f"{name}: taken or refused, not broken",
                        answer.status == 200 or answer.is_problem(400), repr(answer))
            if answer.status != 200:
                continue
            row = harness.wait_until(lambda: server.session(session), 10, session)["session"]
            tally.check(f"{name}: no nonsense in the row",
                        all(0 <= row[key] < 10 ** 10 for key in ("playing_ms", "stall_ms",
                                                                 "pause_ms")) and
                        abs(row["start_time"] * 1000 - now) < 86_400_000 * 400, str(row["start_time"]))
        long_text = "x" * 100_000
        body = record(stream={"sessionId": "long", "playerName": long_text, "pId": "z" * 9000})
        answer = server.send("/produce", "POST", json.dumps(body).encode(), JSON)
        tally.check("very long texts", answer.status == 200 or answer.is_problem(400),
                    repr(answer))
        tally.equal("still ready", server.send("/readyz").status, 200)


def cmcd_posts(tally, server, bodies):
    for name, body in bodies.items():
        for kind in ("application/cmcd", "text/cmcd", "text/plain", "image/png"):
            answer = server.send(f"/cmcd/{CUSTOMER}/sid", "POST", body, {"Content-Type": kind})
            if answer.status != 204 or answer.body:
                break
        tally.check(f"cmcd, {name}: 204", answer.status == 204 and not answer.body,
                    f"{kind}: {answer!r}")


def cmcd_is_always_204(tally):
    with harness.served_customer() as server:
        cmcd_posts(tally, server, {
            "nothing": b"", "rubbish": b"\xff\x00\xfe" * 100, "no event": b'sid="abc"',
            "deep lists": b"(" * 50_000, "JSON": b'{"e":"ps"}', "many lines": b"\n" * 100_000,
            "version 9": b'e=ps,sid="x",sta=p,ts=1,v=9',
            "many keys": b",".join(b"k%d=%d" % (at, at) for at in range(20_000)),
        })
        for path in (f"/cmcd/{CUSTOMER}", "/cmcd/4711/sid", "/cmcd/acme/sid",
                     "/cmcd/99999999999999999999999/sid"):
            tally.equal(f"cmcd, {path}: 204",
                        server.send(path, "POST", b"rubbish", {"Content-Type": "text/cmcd"}).status,
                        204)
        for query in ("", "?CMCD=", "?CMCDE=sid"):
            tally.equal(f"cmcd, GET {query}: 204",
                        server.send(f"/cmcd/{CUSTOMER}/sid{query}").status, 204)
        nothing_stored(tally, server)


def cmcd_reads_what_it_can(tally):
    """Damaged reports of which an event and the path's session are left: used, and harmless."""
    with harness.served_customer() as server:
        cmcd_posts(tally, server, {
            "unclosed": b'sid="abc,e=ps', "a long line": b'e=ps,sid="' + b"x" * 200_000 +
            b'",sta=p,v=2', "broken numbers": b'sid="x",e=ps,sta=,ts=1e999,v=2,br=(((',
        })
        for query in ("?CMCD=%", "?CMCD=%ff%00", "?CMCD=" + "a%2C" * 4000):
            tally.equal(f"cmcd, GET {query[:20]}: 204",
                        server.send(f"/cmcd/{CUSTOMER}/sid{query}").status, 204)
        row = harness.wait_until(lambda: server.session("sid"), 10, "the path's session")["session"]
        tally.check("no nonsense in its row", 0 <= row["playing_ms"] < 10 ** 8 and
                    row["stall_ms"] == 0, str(row["playing_ms"]))
        tally.equal("still ready", server.send("/readyz").status, 200)


def odd_requests(tally):
    with harness.served_customer() as server:
        ask = f"/mm-apis/metricquery/{CUSTOMER}?period=last=1h&metrics=attempts"
        key = {"X-API-Key": server.key}
        for method, target, statuses in (
                ("PUT", "/produce", (405,)), ("DELETE", ask, (405,)), ("GET", "/produce", (405,)),
                ("PATCH", f"/cmcd/{CUSTOMER}", (405,)), ("BREW", "/produce", (405, 501, 400)),
                ("GET", "/nowhere", (404,)), ("GET", "/../../etc/passwd", (400, 404)),
                ("GET", "/%2e%2e/%2e%2e/etc/passwd", (400, 404)),
                ("GET", "/mm-apis/register/" + "9" * 5000, (400, 404, 414)),
                ("GET", "/mm-apis/register/acme", (400,)),
                ("GET", "/mm-apis/register/-1", (400,)),
                ("GET", ask + "&filter=%", (400,)), ("GET", ask + "&filter=%zz", (400,)),
                ("POST", "/realms/playhead/protocol/openid-connect/token", (400, 401, 415)),
        ):
            answer = server.send(target, method, None, key)
            tally.check(f"{method} {target[:50]}: {statuses[0]}",
                        answer.status in statuses and answer.status < 500, repr(answer))
        for kind in ("text/html", "multipart/form-data; boundary=x", "image/png", ""):
            answer = server.send("/produce", "POST", b"rubbish", {"Content-Type": kind})
            tally.check(f"produce as {kind or 'no type'}", answer.is_problem(400, 415),
                        repr(answer))
        raw_requests(tally, server)
        slow_senders(tally, server)
        tally.equal("still ready", server.send("/readyz").status, 200)


def exchange(server, text, seconds=5):
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as connection:
        connection.sendall(text)
        try:
            return connection.recv(4096)
        except (TimeoutError, ConnectionResetError):
            return b""


def raw_requests(tally, server):
    for name, text in {
        "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200 + b"\r\n\r\n",
        "no version": b"GET /\r\n\r\n",
        "negative length": b"POST /produce HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "two lengths": b"POST /produce HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                       b"Content-Length: 4\r\n\r\nabcd",
        "length and chunks": b"POST /produce HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                             b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "bad chunk": b"POST /produce HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                     b"zz\r\nabc\r\n0\r\n\r\n",
        "huge chunk": b"POST /produce HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                      b"ffffffffffffffff\r\nabc",
        "huge length": b"POST /produce HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
        "many headers": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20_000 + b"\r\n",
        "a long header": b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 200_000 + b"\r\n\r\n",
    }.items():
        try:
            head = exchange(server, text)
        except (BrokenPipeError, ConnectionResetError):
            head = b""
        status = head.split(b" ")[1:2]
        tally.check(f"raw, {name}: 4xx or closed", not head or status[0].startswith(b"4") or
                    status[0] in (b"501", b"505"), repr(head[:80]))


def slow_senders(tally, server):
    """Two hundred who never finish must not keep out one who does."""
    held = []
    try:
        for _ in range(200):
            connection = socket.create_connection(("127.0.0.1", server.port), timeout=5)
            connection.sendall(b"POST /produce HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            held.append(connection)
        begun = time.monotonic()
        good = harness.smartsight_event("quick", "START", "q1", int(time.time() * 1000))
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(
            server.send("/produce", "POST", good, JSON).status)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        passed = time.monotonic() - begun
        tally.check("slow senders hold nobody up", answers == [200] * 8 and passed < 5,
                    f"{answers} in {passed:.1f} s")
    finally:
        for connection in held:
            connection.close()


INJECTIONS = ("' OR 1=1 --", "'; DROP TABLE sessions; --", "1) UNION ALL SELECT * FROM sessions --",
              "{x:String}", "\\' OR 1=1", "`sessions`", "sessionid) FROM sessions --", "\0", "%00",
              "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "x" * 100_000,
              "-1", "NaN", "1e999", "[a=b", "a=b]]", "(((((", "=~(", "tag.'", "null")


def hostile_queries(tally):
    with harness.served_customer() as server:
        harness.add_tenant(server.data_dir, 900100201)
        harness.wait_until(lambda: server.send("/mm-apis/register/900100201").status == 200, 5,
                           "the second customer")
        for customer in (CUSTOMER, 900100201):
            server.send("/produce", "POST", harness.smartsight_event(
                f"of-{customer}", "START", "s1", int(time.time() * 1000), customer), JSON)
        harness.wait_until(lambda: server.session(f"of-{CUSTOMER}"), 10, "the session")
        base = {"period": "last=1h", "metrics": "attempts", "allstatus": "1"}
        names = ("period", "metrics", "aggby", "agg", "orderby", "order", "limit", "offset",
                 "count", "filter", "qoefilter", "dimension", "granularity", "timezone",
                 "definition", "format", "sessiontype", "concurrency", "view", "explain", "meta")
        for name in names:
            broken = []
            for value in INJECTIONS:
                target = f"/mm-apis/metricquery/{CUSTOMER}?" + urllib.parse.urlencode(
                    {**base, name: value})
                answer = server.send(target, headers={"X-API-Key": server.key})
                text = answer.body.decode(errors="replace")
                good = answer.status == 200 or (answer.is_problem(400, 413, 414, 422, 431) and
                                                len(text) < 3000)
                if not good or "of-900100201" in text or "DB::Exception" in text:
                    broken.append(f"{value[:30]!r}: {answer!r}")
            tally.check(f"{name}: every injection is an answer or a clear refusal", not broken,
                        " | ".join(broken[:3]))
        for value in INJECTIONS[:10]:
            answer = server.send(f"/mm-apis/session/{CUSTOMER}?" + urllib.parse.urlencode(
                {"sessionid": value}), headers={"X-API-Key": server.key})
            tally.check(f"session {value[:20]!r}", answer.is_problem(400, 404), repr(answer))
        answer = server.send(f"/mm-apis/session/{CUSTOMER}?sessionid=of-900100201",
                             headers={"X-API-Key": server.key})
        tally.check("another customer's session is not found", answer.is_problem(404))
        suggestions(tally, server)
        rows = server.api(f"/mm-apis/metricquery/{CUSTOMER}?period=last=1h&metrics=attempts"
                          "&allstatus=1&sessiontype=started")["response"]
        tally.equal("the tables are still there", rows[0]["attempts"], 1)


def suggestions(tally, server):
    for query, parameter, expected in (
            ("metrics=atempts", "metrics", "attempts"),
            ("metrics=attempts&aggby=countri", "aggby", "country"),
            ("metrics=attempts&metrix=1", "metrix", "metrics"),
            ("metrics=attempts&granularity=fortnight", "granularity", "hour"),
            ("metrics=attempts&limit=many", "limit", ""),
            ("metrics=attempts&filter=[cuntry=DE]", "filter", "country"),
    ):
        answer = server.send(f"/mm-apis/metricquery/{CUSTOMER}?period=last=1h&{query}",
                             headers={"X-API-Key": server.key})
        problem = answer.json() if answer.is_problem(400) else {}
        tally.check(f"{query}: names the parameter and what is expected",
                    problem.get("parameter") == parameter and
                    expected in json.dumps(problem), repr(answer))


if __name__ == "__main__":
    sys.exit(harness.run_cases([refused_bodies, tolerated_values, cmcd_is_always_204,
                                cmcd_reads_what_it_can, odd_requests, hostile_queries]))
