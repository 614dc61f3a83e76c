#!/usr/bin/env python3
"""The forms of an answer: the same values in each, compressed as asked, cancelled when nobody reads."""
import csv
import gzip
import io
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse

import harness
from harness import CUSTOMER

HERE = pathlib.Path(__file__).resolve().parent
QUERY = (f"/mm-apis/metricquery/{CUSTOMER}?period=last%3D7d&metrics=latency,attempts,bufferingratio,"
         "playdur,uniqueviewercount,aderrorrate&aggby=cdn,platform,errorcode&sessiontype=started&limit=0")
# Runs for as long as its limit of time lets it.
LONG_SQL = "SELECT sum(cityHash64(number)) AS s FROM numbers(1000000000000)"
MANY_SQL = "SELECT number, cityHash64(number) AS h FROM numbers(1500000)"


def get(server, form, **headers):
    return server.send(f"{QUERY}&format={form}", headers={"X-API-Key": server.key, **headers})


def sql(server, statement, timeout=60, headers=None, **more):
    return server.send(f"/mm-apis/sql/{CUSTOMER}", "POST", json.dumps({"sql": statement, **more}),
                       {"X-API-Key": server.key, "Content-Type": "application/json", **(headers or {})},
                       timeout)


def same(left, right):
    if isinstance(left, float) or isinstance(right, float):
        return left is not None and right is not None and abs(left - right) <= 1e-5 * max(1, abs(right))
    return left == right


def key_of(row):
    return row["cdn"], row["platform"], row["errorcode"]


def values(tally, server):
    """NDJSON and CSV hold what JSON holds."""
    rows = {key_of(row): row for row in get(server, "json").json()["response"]}
    columns = [name for name in next(iter(rows.values())) if name != "totalpages"]
    tally.check("several rows, a null among them", len(rows) > 3 and any(
        value is None for row in rows.values() for value in row.values()), len(rows))
    lines = [json.loads(line) for line in get(server, "ndjson").body.splitlines()]
    tally.equal("ndjson: as many rows", len(lines), len(rows))
    wrong = [(name, line[name], rows[key_of(line)][name]) for line in lines for name in columns
             if not same(line[name], rows[key_of(line)][name])]
    tally.equal("ndjson: the same values", wrong[:3], [])
    tally.equal("ndjson: columns as asked", list(lines[0]), columns)
    body = get(server, "csv").body.decode()
    tally.check("csv: CRLF at every end", body.endswith("\r\n") and body.count("\n") ==
                body.count("\r\n"))
    table = list(csv.reader(io.StringIO(body, newline="")))
    tally.equal("csv: header as asked", table[0], columns)
    tally.equal("csv: as many rows", len(table) - 1, len(rows))
    wrong = []
    for line in (dict(zip(columns, fields)) for fields in table[1:]):
        for name in columns:
            known = rows[key_of(line)][name]
            given = line[name] if isinstance(known, str) else (
                None if line[name] == "" else float(line[name]))
            if not same(given, known):
                wrong.append((name, given, known))
    tally.equal("csv: the same values, null is empty", wrong[:3], [])
    odd = 'a"b,c\r\nd'
    answer = sql(server, "SELECT {a:String} AS `x y`, NULL AS n, 1 AS one", parameters={"a": odd},
                 format="csv")
    tally.equal("csv: RFC 4180 quoting", answer.body, b'"x y","n","one"\r\n"a""b,c\r\nd",,1\r\n')
    accepted = server.send(QUERY, headers={"X-API-Key": server.key, "Accept": "text/csv"})
    tally.check("the Accept header", accepted.type == "text/csv" and accepted.body.decode() == body)


def codings(tally, server):
    plain = sql(server, MANY_SQL, format="csv")
    tally.check("1.5 million rows", plain.body.count(b"\r\n") == 1_500_001 and
                "content-encoding" not in plain.headers, f"{plain!r}")
    for wanted, coding, tool in (("gzip", "gzip", None), ("zstd, gzip;q=0.5", "zstd", "zstd"),
                                 ("br;q=0.9, gzip;q=0.1", "br", "node"),
                                 ("zstd;q=0, gzip;q=0.5", "gzip", None)):
        answer = sql(server, MANY_SQL, format="csv", headers={"Accept-Encoding": wanted})
        good = tally.equal(f"Accept-Encoding: {wanted}", answer.headers.get("content-encoding"), coding)
        if tool and not shutil.which(tool):
            tally.skip(f"{coding} decodes", f"no {tool}")
        elif good:
            script = ("const z=require('zlib');process.stdin.pipe(z.createBrotliDecompress())"
                      ".pipe(process.stdout)")
            command = {"zstd": ["zstd", "-dc"], "node": ["node", "-e", script]}.get(tool)
            decoded = gzip.decompress(answer.body) if tool is None else subprocess.run(
                command, input=answer.body, capture_output=True, timeout=60).stdout
            tally.check(f"{coding} decodes to the same, smaller", decoded == plain.body and
                        len(answer.body) < len(plain.body), len(answer.body))
    parquet = sql(server, MANY_SQL, format="parquet", headers={"Accept-Encoding": "gzip"})
    tally.check("Parquet is not compressed again", parquet.body[:4] == parquet.body[-4:] == b"PAR1")


def binary(tally, server):
    """Arrow and Parquet come in pieces that make one body: an independent reader finds every row."""
    statement = ("SELECT number AS n, if(number % 3 = 0, NULL, concat('row ', toString(number))) AS t, "
                 "toDateTime64(number / 7, 3, 'UTC') AS d, [number, number % 5] AS l, "
                 "toLowCardinality(toString(number % 11)) AS c FROM numbers({rows})")
    checks = ("SELECT count() AS rows, sum(n) AS n, countIf(t IS NULL) AS nulls, "
              "toString(sum(cityHash64(ifNull(toString(t), '')))) AS t, sum(toFloat64(d)) AS d, "
              "sum(l[2]) AS l, toString(sum(cityHash64(toString(c)))) AS c FROM ")

    def select(sql_text):
        done = subprocess.run([sys.executable, HERE / "engine_select.py", sql_text],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
        return json.loads(done.stdout) if done.returncode == 0 else done.stderr[-300:]

    for rows in (1_000_000, 1, 0):
        text = statement.replace("{rows}", str(rows))
        expected = select(f"{checks} ({text})")
        for form, name in (("parquet", "Parquet"), ("arrow", "ArrowStream")):
            body = sql(server, text, format=form).body
            with harness.folder() as work:
                (work / "rows").write_bytes(body)
                tally.equal(f"{form}: {rows} rows in {len(body)} bytes",
                            select(f"{checks} file('{work}/rows', {name})"), expected)
                # Pages are skipped where an index says so: those must not mislead.
                some = "SELECT count() AS n, sum(l[1]) AS l FROM {} WHERE n % 65536 = 7"
                tally.equal(f"{form}: some of {rows} rows",
                            select(some.format(f"file('{work}/rows', {name})")),
                            select(some.format(f"({text})")))


def memory(tally, server):
    """A slow reader of many rows costs what the buffers hold, not what the answer is."""
    # Cheap rows: 40 million of 21 bytes are 800 MB of text; of hashes, 640 MB however written.
    for form, statement, least in (
            ("csv", "SELECT number, number * 3 AS n FROM numbers(40000000)", 300_000_000),
            ("arrow", "SELECT cityHash64(number) AS a, cityHash64(number, 1) AS b FROM "
                      "numbers(40000000)", 300_000_000),
            ("parquet", "SELECT cityHash64(number) AS a, cityHash64(number, 1) AS b FROM "
                        "numbers(40000000)", 200_000_000)):
        memory_of(tally, server, form, statement, least)


def memory_of(tally, server, form, statement, least):
    before = server.resident_kib()
    parts = urllib.parse.urlsplit(server.url)
    body = json.dumps({"sql": statement, "format": form})
    most = total = 0
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
        connection.sendall(f"POST /mm-apis/sql/{CUSTOMER} HTTP/1.1\r\nHost: x\r\nX-API-Key: {server.key}"
                           f"\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                           f"{body}".encode())
        deadline = time.monotonic() + 60
        while total < least and time.monotonic() < deadline:
            got = connection.recv(1 << 20)
            if not got:
                break
            total += len(got)
            if total // 10_000_000 != (total - len(got)) // 10_000_000:
                most = max(most, server.resident_kib())
    tally.check(f"{form}: {least // 1_000_000} MB were streamed", total >= least, total)
    tally.check(f"{form}: resident memory grew by less than 250 MB", most - before < 250_000, f"{before} {most}")
    print(f"     {form}: RSS {before // 1024} MB before, at most {most // 1024} MB while streaming {total >> 20} MB")


def state(server, query_id, method="GET", key=None):
    return server.send(f"/mm-apis/query/{query_id}", method, headers={"X-API-Key": key or server.key})


def begin(server, query_id):
    """Sends the long statement on a socket; the caller closes it."""
    parts = urllib.parse.urlsplit(server.url)
    body = json.dumps({"sql": LONG_SQL, "queryId": query_id})
    connection = socket.create_connection((parts.hostname, parts.port), timeout=60)
    connection.sendall(f"POST /mm-apis/sql/{CUSTOMER} HTTP/1.1\r\nHost: x\r\nX-API-Key: {server.key}\r\n"
                       f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
                       .encode())

    def reading():
        answer = state(server, query_id)
        return answer.status == 200 and answer.json()["rowsread"] > 0 and answer.json()
    return connection, harness.wait_until(reading, 20, "progress")


def cancelling(tally, server):
    connection, first = begin(server, "going-away")
    tally.check("progress: running", first["state"] == "running" and first["elapsedms"] > 0, first)
    tally.check("progress: rows grow", harness.wait_until(
        lambda: state(server, "going-away").json()["rowsread"] > first["rowsread"], 10, "more rows"))
    tally.check("another customer does not see it",
                state(server, "going-away", key=server.other_key).is_problem(404))
    tally.check("nor may it cancel it",
                state(server, "going-away", "DELETE", server.other_key).is_problem(404))
    begun = time.monotonic()
    connection.close()
    harness.wait_until(lambda: state(server, "going-away").json()["state"] == "cancelled", 10, "the end")
    seconds = time.monotonic() - begun
    tally.check("a client that goes away cancels its query within 2 s", seconds < 2, seconds)

    connection, _ = begin(server, "by-request")
    begun = time.monotonic()
    tally.equal("DELETE", state(server, "by-request", "DELETE").status, 202)
    reply = connection.recv(4096)
    tally.check("its caller gets 499 within 2 s", b" 499 " in reply.split(b"\r\n")[0] and
                time.monotonic() - begun < 2, reply[:100])
    connection.close()
    tally.equal("its state", state(server, "by-request").json()["state"], "cancelled")
    tally.check("no such query", state(server, "nothing").is_problem(404))
    tally.check("no credential", server.send("/mm-apis/query/nothing").is_problem(401))
    done = sql(server, "SELECT 1", queryId="done")
    tally.equal("an ended one", (done.status, state(server, "done").json()["state"]), (200, "finished"))


def main():
    with harness.folder() as work:
        data = work / "data"
        harness.add_tenant(data)
        harness.add_tenant(data, 900100777)
        harness.playhead("simulate", "--data-dir", data, "--customer", CUSTOMER, "--sessions", 40,
                         "--seed", 9, "--hours", 3, timeout=400)
        with harness.Server(data, "--sql-rows-max", 100_000_000, "--sql-time-limit-s", 100) as server:
            server.key = harness.add_key(data)
            server.other_key = harness.add_key(data, 900100777)

            def bound(case):
                def run(tally):
                    case(tally, server)
                run.__name__ = case.__name__
                return run
            return harness.run_cases([bound(case) for case in (values, binary, codings, memory, cancelling)])


if __name__ == "__main__":
    sys.exit(main())
