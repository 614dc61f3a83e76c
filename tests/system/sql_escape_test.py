#!/usr/bin/env python3
"""A tenant's SQL tries to get out: other customers' rows, the server, its files, its memory.

Two customers, each with simulated sessions. Whatever the mallory of this file sends, an answer is
either a 4xx problem document or holds rows of the asking customer only.
"""
import json
import sys
import time

import harness
from harness import CUSTOMER

OTHER = 900100777
SESSIONS = 30
TABLES = ("sessions", "live_sessions", "slices", "events", "ad_views", "app_events", "alerts")

REFUSED = {
    # other databases, other tables
    "database named": "SELECT * FROM default.sessions",
    "database quoted": "SELECT * FROM `default`.`sessions`",
    "database in double quotes": 'SELECT * FROM "default"."sessions"',
    "one quoted name with a dot": "SELECT * FROM `default.sessions`",
    "database in any case": "SELECT * FROM DEFAULT.sessions",
    "system tables": "SELECT * FROM system.tables",
    "system processes": "SELECT query FROM system.processes",
    "system one": "SELECT * FROM system.one",
    "information schema": "SELECT * FROM information_schema.tables",
    "information schema upper": "SELECT * FROM INFORMATION_SCHEMA.TABLES",
    "own bookkeeping": "SELECT * FROM schema_migrations",
    "cuts": "SELECT * FROM ingest_cuts",
    "rollup": "SELECT * FROM sessions_hour",
    "failed minutes": "SELECT * FROM slices_failed",
    "sandbox": "SELECT * FROM sql_sandbox.sessions",
    "IN a table of a database": "SELECT 1 WHERE 1 IN default.sessions",
    "NOT IN a system table": "SELECT 1 WHERE 'x' NOT IN system.users",
    "GLOBAL IN": "SELECT 1 WHERE 'x' GLOBAL IN system.users",
    "union": "SELECT sessionid FROM sessions UNION ALL SELECT sessionid FROM default.sessions",
    "except": "SELECT sessionid FROM default.sessions EXCEPT SELECT sessionid FROM sessions",
    "intersect": "SELECT sessionid FROM sessions INTERSECT SELECT sessionid FROM default.sessions",
    "subquery": "SELECT * FROM (SELECT * FROM (SELECT * FROM default.sessions))",
    "scalar subquery": "SELECT (SELECT count() FROM default.sessions)",
    "join": "SELECT * FROM sessions a JOIN default.sessions b ON a.cdn = b.cdn",
    "comma join": "SELECT * FROM sessions, default.sessions",
    "CTE shadowing": "WITH sessions AS (SELECT * FROM default.sessions) SELECT * FROM sessions",
    "recursive CTE": "WITH RECURSIVE s AS (SELECT * FROM default.sessions UNION ALL SELECT * FROM s)"
                     " SELECT * FROM s",
    "qualified column": "SELECT default.sessions.sessionid FROM sessions",
    "comment in the name": "SELECT * FROM default/**/./**/sessions",
    "line comment in the name": "SELECT * FROM default.--\nsessions",
    "prewhere": "SELECT count() FROM default.sessions PREWHERE 1",
    # table functions
    **{f"table function {call.split('(')[0]}": f"SELECT * FROM {call}" for call in (
        "merge('default', '.*')", "merge('.*')", "remote('127.0.0.1', default.sessions)",
        "remoteSecure('127.0.0.1', default.sessions)", "cluster('default', default.sessions)",
        "clusterAllReplicas('default', default.sessions)", "url('http://127.0.0.1:1/', 'CSV')",
        "file('/etc/passwd', 'LineAsString')", "s3('http://127.0.0.1:1/x', 'CSV')",
        "executable('id', 'TSV', 'x String')", "input('x String')", "dictionary('d')",
        "view(SELECT * FROM sessions)", "mergeTreeIndex('default', 'sessions')",
        "mergeTreeProjection('default', 'sessions', 'x')", "loop(default.sessions)",
        "mergeTreeAnalyzeIndexes('default', 'sessions')",
        "mergeTreeParts('default', 'sessions')", "mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
        "postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')", "sqlite('/tmp/x.db', 't')",
        "generateRandom('a String')", "values('a String', 'x')", "null('x Int8')",
        "format(CSV, '1,2')", "fuzzJSON('x')", "arrowstream('x')", "python('x')",
        "viewExplain('EXPLAIN', '', (SELECT 1))", "hdfs('hdfs://127.0.0.1:1/x', 'CSV')")},
    "quoted table function": "SELECT * FROM `merge`('default', 'sessions')",
    "table function in any case": "SELECT * FROM MERGE('default', 'sessions')",
    # functions that read by name or tell about the server
    **{f"function {call.split('(')[0]}": f"SELECT {call}" for call in (
        "file('/etc/passwd')", "dictGet('d', 'a', 1)", "dictHas('d', 1)", "joinGet('s', 'a', 1)",
        "getSetting('max_threads')", "getServerSetting('path')", "getMacro('x')", "hostName()",
        "FQDN()", "version()", "currentUser()", "user()", "currentDatabase()", "serverUUID()",
        "uptime()", "tcpPort()", "queryID()", "connectionId()", "currentRoles()", "buildId()",
        "filesystemAvailable()", "hasColumnInTable('default', 'sessions', 'cdn')",
        "showCertificate()", "sleep(3)", "sleepEachRow(3)", "throwIf(1)", "zookeeperSessionUptime()",
        "addressToLine(1)", "demangle('x')", "catboostEvaluate('/etc/passwd', 1)", "DATABASE()",
        "getOSKernelVersion()", "errorCodeToName(1)", "aiGenerate('x', 'y')", "hostname()",
        "getClientHTTPHeader('x')", "structureToProtobufSchema('x')", "formatQuery('x')",
        "indexHint(1)", "evalMLMethod(1)", "regionToName(1)")},
    "function behind APPLY": "SELECT * APPLY(hostName) FROM sessions",
    "function behind APPLY lambda": "SELECT * APPLY(x -> hostName()) FROM sessions",
    "function in a window": "SELECT max(hostName()) OVER () FROM sessions",
    "function in a quoted name": "SELECT `hostName`()",
    "function with a combinator": "SELECT hostNameIf(1)",
    "function in ARRAY JOIN": "SELECT x FROM sessions ARRAY JOIN [hostName()] AS x",
    # other statements and clauses
    **{f"statement {text.split()[0]}": text for text in (
        "INSERT INTO sessions SELECT * FROM sessions", "DROP TABLE sessions", "ALTER TABLE sessions DELETE WHERE 1",
        "SET readonly = 0", "USE default", "SHOW TABLES", "DESCRIBE TABLE sessions",
        "EXPLAIN SELECT 1", "KILL QUERY WHERE 1 ASYNC", "SYSTEM FLUSH LOGS", "CREATE TABLE x (a Int8) ENGINE = Memory",
        "ATTACH TABLE x", "DETACH TABLE sessions", "OPTIMIZE TABLE sessions", "TRUNCATE TABLE sessions",
        "RENAME TABLE sessions TO x", "EXCHANGE TABLES a AND b", "BACKUP TABLE sessions TO Disk('d', 'x')",
        "GRANT ALL ON *.* TO x", "EXECUTE AS x SELECT 1", "CHECK TABLE sessions", "WATCH x", "BEGIN",
        "FROM sessions SELECT *", "VALUES (1)", "EXISTS TABLE sessions", "DELETE FROM sessions WHERE 1")},
    "two statements": "SELECT 1; SELECT 2",
    "two statements, quiet": "SELECT 1;\n\nDROP TABLE default.sessions",
    "statement behind brackets": "SELECT 1) ; DROP TABLE default.sessions; SELECT (1",
    "bracket out of the wrapping": "SELECT 1) UNION ALL SELECT * FROM (SELECT 1",
    "settings": "SELECT * FROM sessions SETTINGS additional_table_filters = {}",
    "settings in a subquery": "SELECT * FROM (SELECT 1 SETTINGS readonly = 0)",
    "settings in any case": "SELECT 1 sEtTiNgS max_threads = 8",
    "format": "SELECT * FROM sessions FORMAT JSON",
    "outfile": "SELECT * FROM sessions INTO OUTFILE '/tmp/playhead-escape.txt'",
    "outfile truncate": "SELECT 1 INTO OUTFILE '/tmp/playhead-escape.txt' TRUNCATE",
    "explain in a subquery": "SELECT * FROM (EXPLAIN SELECT 1)",
    "show in a subquery": "SELECT * FROM (SHOW TABLES)",
    "describe in a subquery": "SELECT * FROM (DESCRIBE TABLE sessions)",
    # characters
    "comment never closed": "SELECT 1 /* ",
    "comment in a comment": "SELECT 1 /* /* */ FROM default.sessions --*/",
    "hash comment": "SELECT 1 # x",
    "our tag": "SELECT 1 */ DROP /*playhead-1",
    "string never closed": "SELECT 'x",
    "backslash at the end": "SELECT 'x\\",
    "heredoc": "SELECT $x$ a $x$",
    "dollar name": "SELECT * FROM $sessions",
    "full-width letters": "SELECT * FROM \uff53essions",
    "cyrillic letters": "SELECT * FROM \u0455essions",
    "curly quotes": "SELECT \u2018x\u2019",
    "no-break space": "SELECT\u00a01",
    "zero byte": "SELECT 1\u0000",
    "zero byte in a string": "SELECT '\u0000'",
    "newline in a name": "SELECT 1 AS `a\nTableIdentifier sessions`",
    "bracket in a name": "SELECT * FROM `x (alias sessions)`",
    "macro braces": "SELECT * FROM {t}",
    "map of settings": "SELECT {'a': 1}",
    "identifier parameter": ("SELECT * FROM {t:Identifier}", {"t": "default.sessions"}),
    "identifier with a space": ("SELECT * FROM {t: Identifier}", {"t": "default.sessions"}),
    "missing parameter": "SELECT {x:String}",
    "ours as a parameter": "SELECT {customer:UInt64}",
    "empty": "  ", "comment only": "-- hello", "semicolon only": ";",
}

BOMBS = {
    "numbers": "SELECT sum(number) FROM numbers(1000000000000000)",
    "sorted numbers": "SELECT number FROM numbers(10000000000) ORDER BY cityHash64(number)",
    "cartesian": "SELECT count() FROM numbers(10000000) a, numbers(10000000) b WHERE a.number + b.number = 7",
    "repeat": "SELECT length(repeat(repeat('x', 1000000), 1000000))",
    "range": "SELECT sum(arraySum(range(400000000)))",
    "groupArray": "SELECT length(groupArray(toString(number))) FROM numbers(10000000000)",
    "array join": "SELECT count() FROM numbers(1000000) ARRAY JOIN range(1000000) AS x",
    "regular expression": "SELECT count() FROM numbers(100000000) WHERE match(concat(repeat('a', 2000), toString(number)), '(a*)*(a*)*b')",
    "too many rows": "SELECT number FROM numbers(100000000)",
    "deep brackets": "SELECT " + "(" * 5000 + "1" + ")" * 5000,
    "deep subqueries": "SELECT one FROM (" * 90 + "SELECT 1 AS one" + ")" * 90,
    "long": "SELECT " + "1 + " * 30000 + "1",
    "wide": "SELECT " + ", ".join(["*"] * 3000) + " FROM sessions",
}


def ask(server, sql, parameters=None, key=None, customer=CUSTOMER, timeout=60, **more):
    body = json.dumps({"sql": sql, "parameters": parameters or {}, **more})
    return server.send(f"/mm-apis/sql/{customer}", "POST", body,
                       {"X-API-Key": key or server.key, "Content-Type": "application/json"},
                       timeout)


def rows(server, sql, **more):
    answer = ask(server, sql, **more)
    if answer.status != 200:
        raise RuntimeError(f"{sql}: {answer!r}")
    return answer.json()["data"]


class Secrets:
    """What no answer to the first customer may hold."""

    def __init__(self, server):
        found = rows(server, "SELECT DISTINCT sessionid, subscriberid, assetid FROM sessions",
                     key=server.other_key, customer=OTHER)
        own = rows(server, "SELECT DISTINCT sessionid, subscriberid, assetid FROM sessions")
        names = {value for row in found for value in row.values() if len(value) > 6}
        names -= {value for row in own for value in row.values()}
        self.words = [str(OTHER).encode(), str(server.data_dir).encode(), b"/store/", b"sql_sandbox",
                      b"additional_table_filters", *(name.encode() for name in names)]
        self.count = len(names)

    def found_in(self, body):
        return [word for word in self.words if word in body]


def own_rows(tally, server, secrets):
    tally.check("the other customer has rows to steal", secrets.count > 20, secrets.count)
    for table in TABLES:
        own = rows(server, f"SELECT count() AS n, uniqExact(customerid) AS c, min(customerid) AS m FROM {table}")[0]
        tally.check(f"{table}: own rows only", int(own["n"]) == 0 or
                    (int(own["c"]) == 1 and int(own["m"]) == CUSTOMER), own)
        stolen = rows(server, f"SELECT count() AS n FROM {table} WHERE customerid = {OTHER}")[0]["n"]
        tally.equal(f"{table}: none of the other's", int(stolen), 0)
    mine = int(rows(server, "SELECT count() AS n FROM sessions")[0]["n"])
    kpi = server.api(f"/mm-apis/metricquery/{CUSTOMER}?metrics=attempts&period=last%3D30d&sessiontype=started")["response"]
    tally.check("sessions in SQL are those of the API", mine == kpi[0]["attempts"] > 20, f"{mine}, {kpi}")
    for name, sql in {
            "alias": "SELECT count() AS n FROM sessions AS events",
            "subquery": "SELECT count() AS n FROM (SELECT * FROM (SELECT * FROM sessions))",
            "CTE": "WITH x AS (SELECT * FROM sessions) SELECT count() AS n FROM x",
            "CTE of the same name": "WITH sessions AS (SELECT * FROM sessions) SELECT count() AS n FROM sessions",
            "scalar": "SELECT (SELECT count() FROM sessions) AS n",
            "scalar WITH": "WITH (SELECT count() FROM sessions) AS x SELECT x AS n",
            "IN": "SELECT count() AS n FROM sessions WHERE sessionid IN (SELECT sessionid FROM sessions)",
            "join": "SELECT count() AS n FROM sessions a JOIN sessions b USING (sessionid)",
            "window": "SELECT DISTINCT count() OVER () AS n FROM sessions",
            "comments": "SELECT /* a */ count() -- b\n AS n FROM sessions -- c",
            "semicolon": "SELECT count() AS n FROM sessions ; ",
            "or true": f"SELECT count() AS n FROM sessions WHERE customerid = {OTHER} OR 1 = 1",
            "quotes": "SELECT count() AS n FROM sessions WHERE 'it''s \\' -- ;' != '{x'"}.items():
        tally.equal(f"own rows through {name}", int(rows(server, sql)[0]["n"]), mine)


def refusals(tally, server, secrets):
    for name, sql in REFUSED.items():
        sql, parameters = sql if isinstance(sql, tuple) else (sql, {})
        answer = ask(server, sql, parameters)
        leaked = [word for word in secrets.found_in(answer.body) if word.decode() not in sql]
        tally.check(f"refused: {name}", answer.is_problem(400, 422) and not leaked,
                    f"{answer!r} {leaked[:3]}")


def errors_as_oracle(tally, server, secrets):
    """An expression that fails on a row of another customer would tell that the row exists."""
    name = next(word for word in secrets.words[5:]).decode()
    for sql in (
            f"SELECT count() AS n FROM sessions WHERE intDiv(1, toUInt8(customerid != {OTHER})) = 5",
            f"SELECT count() AS n FROM sessions WHERE intDiv(1, toUInt8(sessionid != '{name}')) = 5",
            f"SELECT sum(intDiv(1, toUInt8(customerid = {CUSTOMER}))) - count() AS n FROM sessions",
            f"SELECT count() AS n FROM sessions a JOIN sessions b ON intDiv(1, toUInt8(a.customerid"
            f" != {OTHER})) = intDiv(2, toUInt8(b.customerid != {OTHER}))",
            f"SELECT count() AS n FROM sessions a, events b WHERE intDiv(1, toUInt8(b.customerid != {OTHER}"
            f")) = 3 AND a.sessionid = b.sessionid",
            f"SELECT count() AS n FROM (SELECT intDiv(1, toUInt8(customerid != {OTHER})) x FROM slices"
            " ORDER BY x LIMIT 100000) WHERE x = 7",
            f"SELECT count() AS n FROM (SELECT cdn FROM sessions GROUP BY cdn, intDiv(1, toUInt8("
            f"customerid != {OTHER})) HAVING cdn = 'no such')"):
        answer = ask(server, sql)
        tally.check(f"no row of another is evaluated: {sql[:70]}",
                    answer.status == 200 and int(answer.json()["data"][0]["n"]) == 0, f"{answer!r}")
    answer = ask(server, "SELECT toUInt8(sessionid) FROM sessions")
    tally.check("a value in an error is one's own", answer.is_problem(400) and
                not secrets.found_in(answer.body), f"{answer!r}")


def bombs(tally, server, secrets):
    for name, sql in BOMBS.items():
        begun = time.monotonic()
        try:
            answer = ask(server, sql)
            good = answer.is_problem(400, 422, 504) or (name == "deep subqueries" and answer.status == 200)
            detail = repr(answer)[:300]
        except (OSError, harness.http.client.HTTPException) as error:
            # Rows have gone out before the limit was met: the body is cut.
            good, detail = name == "too many rows", repr(error)
        seconds = time.monotonic() - begun
        tally.check(f"bomb: {name}", good and seconds < 12, f"{seconds:.1f} s {detail}")
    tally.equal("alive", server.send("/healthz").status, 200)
    tally.check("memory is bounded", server.resident_kib() < 1_800_000, server.resident_kib())


def doors(tally, server, _):
    sql = "SELECT 1 AS one"
    tally.check("no credential", server.send(f"/mm-apis/sql/{CUSTOMER}", "POST", sql).is_problem(401))
    tally.check("another's customer id", ask(server, sql, customer=OTHER).is_problem(403))
    tally.check("not a customer", ask(server, sql, customer="x").is_problem(400))
    headers = {"X-API-Key": server.key, "Content-Type": "text/plain"}
    plain = server.send(f"/mm-apis/sql/{CUSTOMER}", "POST", sql, headers)
    tally.equal("text/plain", plain.json()["data"], [{"one": 1}])
    headers["Content-Type"] = "application/xml"
    tally.check("another type", server.send(f"/mm-apis/sql/{CUSTOMER}", "POST", sql, headers).is_problem(415))
    tally.check("unknown field", ask(server, sql, setting="x").is_problem(400))
    tally.check("unknown format", ask(server, sql, format="xml").is_problem(400))
    tally.equal("text parameter", rows(server, "SELECT {a:String} AS v", parameters={"a": "x' OR\t1\\\n"}),
                [{"v": "x' OR\t1\\\n"}])
    tally.equal("array parameter", rows(server, "SELECT arrayMap(x -> x + 1, {a:Array(UInt32)}) AS v",
                                        parameters={"a": [1, 2]}), [{"v": [2, 3]}])
    tally.check("wrong parameter", ask(server, "SELECT {a:UInt8}", {"a": "x"}).is_problem(400))
    for form, start in (("csv", b'"one"\r\n1\r\n'), ("ndjson", b'{"one":1}\n'), ("parquet", b"PAR1")):
        answer = ask(server, sql, format=form)
        tally.check(f"format {form}", answer.status == 200 and answer.body.startswith(start), f"{answer!r}")
    tally.equal("order holds", [row["x"] for row in rows(
        server, "SELECT number AS x FROM numbers(5) ORDER BY x DESC")], [4, 3, 2, 1, 0])


def main():
    with harness.folder() as work:
        data_dir = work / "data"
        keys = {}
        for seed, customer in ((5, CUSTOMER), (6, OTHER)):
            harness.add_tenant(data_dir, customer)
            keys[customer] = harness.add_key(data_dir, customer)
            harness.playhead("simulate", "--data-dir", data_dir, "--customer", customer, "--sessions",
                             SESSIONS, "--seed", seed, "--hours", 3, timeout=300)
        with harness.Server(data_dir, "--sql-time-limit-s", 4, "--sql-memory-bytes-max", 400_000_000) as server:
            server.key, server.other_key = keys[CUSTOMER], keys[OTHER]
            secrets = Secrets(server)

            def bound(case):
                def run(tally):
                    case(tally, server, secrets)
                run.__name__ = case.__name__
                return run
            return harness.run_cases([bound(case) for case in (
                own_rows, refusals, errors_as_oracle, doors, bombs)])


if __name__ == "__main__":
    sys.exit(main())
