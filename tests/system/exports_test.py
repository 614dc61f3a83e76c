#!/usr/bin/env python3
"""Scheduled exports: a directory and a real S3-compatible server hold exactly the store's rows."""
import contextlib
import json
import pathlib
import subprocess
import sys
import threading
import time

import harness
from harness import CUSTOMER

HERE = pathlib.Path(__file__).resolve().parent
PATH = f"/mm-apis/exports/{CUSTOMER}"


def parquet(pattern, what="count() AS n, uniqExact(sessionid) AS s, sum(playing_ms) AS p"):
    done = subprocess.run(
        [sys.executable, HERE / "engine_select.py",
         f"SELECT {what} FROM file('{pattern}', Parquet)"], capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-300:])
    return json.loads(done.stdout.splitlines()[0])


def manage(server, method, target="", body=None, key=None):
    return server.send(PATH + target, method, json.dumps(body) if body is not None else None,
                       {"X-API-Key": key or server.admin, "Content-Type": "application/json"}, 120)


def truth(server):
    """What an hourly export holds: sessions that began before this hour, of the last 7 days."""
    answer = server.send(f"/mm-apis/sql/{CUSTOMER}", "POST",
                         "SELECT count() AS n, uniqExact(sessionid) AS s, sum(playing_ms) AS p FROM"
                         " sessions WHERE start_time < toStartOfHour(now())",
                         {"X-API-Key": server.key, "Content-Type": "text/plain"})
    return answer.json()["data"][0]


@contextlib.contextmanager
def s3_server(work, port=0):
    """The bucket server of npm; yields its port."""
    process = subprocess.Popen(["node", HERE / "s3/server.mjs", str(work / "s3"), str(port)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        watchdog = threading.Timer(30, process.kill)
        watchdog.start()
        line = process.stdout.readline()
        watchdog.cancel()
        yield int(line.split()[1])
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def to_directory(tally, server, work, _):
    root = work / "out"
    definition = {"table": "sessions", "target": f"file://{root}/a", "schedule": "hourly",
                  "lateness_minutes": 0, "enabled": False}
    tally.check("viewers may not", manage(server, "POST", body=definition, key=server.key).is_problem(403))
    tally.check("outside the roots", manage(server, "POST", body={
        **definition, "target": f"file://{work}/elsewhere"}).is_problem(400))
    made = manage(server, "POST", body=definition)
    tally.equal("created", made.status, 201)
    export = made.json()["id"]
    ran = manage(server, "POST", f"/{export}/run")
    expected = truth(server)
    tally.check("run", ran.status == 200 and sum(day["rows"] for day in ran.json()["days"].values())
                == int(expected["n"]) > 5, f"{ran!r} {expected}")
    files = sorted((root / "a").rglob("*"))
    parts = [path for path in files if path.is_file()]
    tally.check("layout", parts and all(
        path.relative_to(root / "a").as_posix().startswith(f"customerid={CUSTOMER}/date=20")
        and path.name.startswith("part-") and path.suffix == ".parquet" for path in parts), parts)
    tally.equal("rows in Parquet are the store's", parquet(f"{root}/a/*/*/*.parquet"), expected)
    times = {path: path.stat().st_mtime_ns for path in parts}
    manage(server, "POST", f"/{export}/run")
    tally.check("a second run writes nothing", times == {path: path.stat().st_mtime_ns for path in parts})

    # Late rows of a day that has been exported.
    harness.playhead("simulate", "--to", server.url, "--customer", CUSTOMER, "--sessions", 4,
                     "--seed", 77, "--hours", 3, timeout=200)
    harness.wait_until(lambda: int(truth(server)["n"]) > int(expected["n"]), 60, "late sessions")
    manage(server, "POST", f"/{export}/run")
    tally.equal("late sessions: the day again", parquet(f"{root}/a/*/*/*.parquet"), truth(server))

    # The schedule does it without being asked.
    for table in ("slices", "events", "ad_views"):
        other = {**definition, "table": table, "target": f"file://{root}/{table}", "enabled": True}
        made = manage(server, "POST", body=other)
        harness.wait_until(lambda made=made: manage(server, "GET", f"/{made.json()['id']}").json()
                           ["state"]["ran_s"] > 0, 60, f"{table} on schedule")
        def settled(made=made):
            # Rows of the late sessions may still be on their way: a run that changed nothing.
            before = manage(server, "GET", f"/{made.json()['id']}").json()["state"]["days"]
            return manage(server, "POST", f"/{made.json()['id']}/run").json()["days"] == before
        harness.wait_until(settled, 60, f"{table} written")
        state = manage(server, "GET", f"/{made.json()['id']}").json()["state"]
        rows = sum(day["rows"] for day in state["days"].values())
        found = parquet(f"{root}/{table}/*/*/*.parquet", "count() AS n")["n"] if rows else 0
        tally.check(f"{table} on schedule", state["error"] == "" and int(found) == rows,
                    f"{found} in Parquet, {state}")
    tally.equal("listed", len(manage(server, "GET").json()["exports"]), 4)
    tally.equal("removed", manage(server, "DELETE", f"/{export}").status, 204)
    tally.check("gone", manage(server, "GET", f"/{export}").is_problem(404))
    tally.check("its files stay", parts[0].exists())


def to_bucket(tally, server, work, port):
    definition = {"table": "sessions", "target": "s3://exports/pre/fix", "schedule": "hourly",
                  "lateness_minutes": 0, "enabled": False, "region": "eu-west-1",
                  "endpoint": f"http://127.0.0.1:{port}", "access_key": "S3RVER",
                  "secret_key": "S3RVER"}
    tally.check("another endpoint", manage(server, "POST", body={
        **definition, "endpoint": "http://127.0.0.1:1"}).is_problem(400))
    with s3_server(work, port):
        made = manage(server, "POST", body=definition)
        shown = made.json()
        tally.check("the secret is not shown", made.status == 201 and "secret_key" not in shown, shown)
        ran = manage(server, "POST", f"/{shown['id']}/run")
        tally.equal("run", ran.status, 200)
        stored = f"{work}/s3/exports/pre/fix/*/*/*.parquet*object"
        tally.equal("rows in the bucket are the store's", parquet(stored), truth(server))

        wrong = manage(server, "POST", body={**definition, "secret_key": "wrong",
                                             "target": "s3://exports/wrong"}).json()
        refused = manage(server, "POST", f"/{wrong['id']}/run")
        tally.check("a wrong key", refused.is_problem(503) and b"SignatureDoesNotMatch" in refused.body,
                    f"{refused!r}")
        tally.check("nothing was written", not (pathlib.Path(work) / "s3/exports/wrong").exists())
        missing = manage(server, "POST", body={**definition, "target": "s3://nothere"}).json()
        refused = manage(server, "POST", f"/{missing['id']}/run")
        tally.check("no such bucket", refused.is_problem(503) and b"NoSuchBucket" in refused.body,
                    f"{refused!r}")
    down = manage(server, "POST", body={**definition, "target": "s3://exports/down"}).json()
    refused = manage(server, "POST", f"/{down['id']}/run")
    state = manage(server, "GET", f"/{down['id']}").json()["state"]
    tally.check("the server down", refused.is_problem(503) and state["error"] and not state["days"],
                f"{refused!r} {state}")
    with s3_server(work, port):
        tally.equal("and up again", manage(server, "POST", f"/{down['id']}/run").status, 200)
    tally.check("no secret in the log", not any("S3RVER" in line for line in server.log))


def whole_days(root, expected):
    """Files under their final names that are not exactly a day's rows; `.tmp` ones are not looked
    at, as by whoever reads `*.parquet`."""
    wrong = []
    for path in root.rglob("*.parquet"):
        day = path.parent.name.removeprefix("date=")
        found = parquet(str(path), "count() AS n, sum(playing_ms) AS p")
        if found != expected.get(day):
            wrong.append(f"{path.name} of {day}: {found}, expected {expected.get(day)}")
    return wrong


def killed_in_the_middle(tally, _, work, __):
    """kill -9 while an export runs, at one file more each time: what stands under a final name is
    whole, and the run is completed once."""
    data, root = work / "crash-data", work / "crash-out"
    root.mkdir()
    harness.add_tenant(data)
    harness.playhead("simulate", "--data-dir", data, "--customer", CUSTOMER, "--sessions", 300,
                     "--seed", 4, "--from=-100h", "--hours", 90, timeout=300)
    flags = ("--exports-roots", root)
    key, admin = harness.add_key(data), harness.add_key(data, scope="admin")
    with harness.Server(data, *flags) as server:
        rows = server.send(f"/mm-apis/sql/{CUSTOMER}", "POST",
                           "SELECT toString(toDate(start_time, 'UTC')) AS day, count() AS n, "
                           "sum(playing_ms) AS p FROM sessions WHERE start_time < "
                           "toStartOfHour(now()) GROUP BY day", {"X-API-Key": key,
                                                                 "Content-Type": "text/plain"})
        expected = {row.pop("day"): row for row in rows.json()["data"]}
    tally.check("several days", len(expected) >= 4, str(expected))
    definition = {"table": "sessions", "target": f"file://{root}", "schedule": "hourly",
                  "lateness_minutes": 0, "enabled": True}
    export, kept = None, {}
    for files in range(len(expected)):
        server = harness.Server(data, *flags)
        server.admin = admin
        if export is None:
            export = manage(server, "POST", body=definition).json()["id"]
        deadline = time.monotonic() + 30
        # Either something in the making, or the next file, whichever shows first.
        while time.monotonic() < deadline:
            if len(list(root.rglob("*.parquet"))) > files or list(root.rglob("*.tmp")) or \
                    any((data / "exports").iterdir()):
                break
        server.kill()
        server.__exit__()
        wrong = whole_days(root, expected)
        tally.check(f"kill {files + 1}: {len(list(root.rglob('*.parquet')))} files, each whole",
                    not wrong, str(wrong))
    with harness.Server(data, *flags) as server:
        server.admin = admin

        def completed():
            state = manage(server, "GET", f"/{export}").json()["state"]
            return state if state["ran_s"] > 0 and len(state["days"]) == len(expected) else None
        state = harness.wait_until(completed, 30, "the run is completed")
        tally.equal("without an error", state["error"], "")
        tally.check("every day is whole", not whole_days(root, expected), str(whole_days(root, expected)))
        files = sorted(path for path in root.rglob("*") if path.is_file())
        tally.equal("each once, and nothing besides", len(files), len(expected))
        tally.equal("nothing is left in the making", list((data / "exports").iterdir()), [])
        kept = {path: path.stat().st_mtime_ns for path in files}
        again = manage(server, "POST", f"/{export}/run")
        tally.check("another run writes nothing", again.status == 200 and kept == {
            path: path.stat().st_mtime_ns for path in files})


def main():
    if not (HERE / "s3/node_modules/s3rver").is_dir():
        print("s3rver is not installed: run scripts/fetch-node tests/system/s3")
        return 1
    with harness.folder() as work:
        data = work / "data"
        (work / "out").mkdir()
        harness.add_tenant(data)
        harness.playhead("simulate", "--data-dir", data, "--customer", CUSTOMER, "--sessions", 15,
                         "--seed", 3, "--hours", 3, timeout=300)
        with s3_server(work) as port:
            pass
        with harness.Server(data, "--exports-roots", work / "out", "--exports-s3-endpoints",
                            f"http://127.0.0.1:{port}") as server:
            server.key = harness.add_key(data)
            server.admin = harness.add_key(data, scope="admin")

            def bound(case):
                def run(tally):
                    case(tally, server, work, port)
                run.__name__ = case.__name__
                return run
            return harness.run_cases([bound(to_directory), bound(to_bucket),
                                      bound(killed_in_the_middle)])


if __name__ == "__main__":
    sys.exit(main())
