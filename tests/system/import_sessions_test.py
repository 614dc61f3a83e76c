#!/usr/bin/env python3
"""`playhead import smartsight|sessions`: another server's sessions, killed on the way, and its list as a
table."""
import subprocess
import sys

import harness
from harness import CUSTOMER, playhead
from importing import new_data_dir, run_import, sql

KPIS = ("attempts,viewercount,endedplays,totalstartupfailure,exitsbeforestart,playingtime,watchtime,"
        "latency,bufferingratio,cirrbufferingratio,cirrbuffercount,pausecount,seekcount,avgbitrate,"
        "cbrsize,fatalerrors,warnings,upshifts,downshifts,adimpression,adstarts,adplaydur,"
        "qualityofexperience,completionrate,uniqueviewercount,videodropped")


def kpis(server, aggby=None):
    target = (f"/mm-apis/metricquery/{CUSTOMER}?period=last=3d&metrics={KPIS}&sessiontype=started&meta=0"
              + (f"&aggby={aggby}&limit=0&orderby={aggby}&order=asc" if aggby else ""))
    return server.api(target)["response"]


def close_enough(left, right):
    """Sums of values that the list rounds: minutes to 6 ms, seconds to 0.1 ms."""
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return abs(left - right) <= 1e-3 * max(1, abs(left))
    return left == right


def same_rows(tally, name, left, right):
    different = [(key, a[key], b.get(key)) for a, b in zip(left, right) for key in a
                 if not close_enough(a[key], b.get(key))]
    tally.check(name, len(left) == len(right) and not different,
                f"{len(left)} and {len(right)} rows; {different[:5]}")


def another_server(tally):
    with harness.folder("playhead-import-") as work:
        source_dir = new_data_dir(work, "source")
        playhead("simulate", "--data-dir", source_dir, "--customer", CUSTOMER, "--sessions", 300,
                 "--seed", 21, "--hours", 3, "--from", "-30h", "--block-minutes", 60, timeout=120)
        playhead("user", "add", "--data-dir", source_dir, "--customer", CUSTOMER, "--email",
                 "u@example.test", "--password", "secret")
        key = harness.add_key(source_dir)
        target_dir = new_data_dir(work, "target")
        with harness.Server(source_dir) as source:
            source.key = key
            command = ["smartsight", "--from", source.url, "--customer", str(CUSTOMER), "--api-key", key,
                       "--since", "-31h", "--until", "-25h", "--data-dir", str(target_dir), "--tags", "plan",
                       "--window", "900", "--page", "7"]
            kills = 0
            for lines in (2, 9, 6):
                process = subprocess.Popen([harness.BINARY, "import", *command], text=True,
                                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                           stderr=subprocess.PIPE)
                for _ in range(lines):
                    if not process.stderr.readline():
                        break
                if process.poll() is None:
                    process.kill()
                    kills += 1
                process.wait(30)
                process.stderr.close()
            tally.check("killed while it ran", kills >= 2, kills)
            last = run_import(*command)
            tally.check("the rest came", "sessions written" in last.stdout, last.stdout)
            moved = kpis(source)
            by_cdn = kpis(source, "cdn")
            by_status = kpis(source, "viewstatus")
            statement = ("SELECT sessionid, viewstatus, plays, attempts, stall_count, seek_stall_count, "
                         "pause_count, seek_count, fatal_errors, warnings, ad_impressions, assetname, cdn, "
                         "country, device, subscriberid, errorcode, toUnixTimestamp(start_time) AS s, "
                         "toUnixTimestamp(end_time) AS e FROM sessions ORDER BY sessionid")
            listed = source.send(f"/mm-apis/sql/{CUSTOMER}", "POST", statement,
                                 {"X-API-Key": key, "Content-Type": "text/plain"}).json()["data"]
            other = run_import("smartsight", "--from", source.url, "--customer", CUSTOMER, "--user",
                               "u@example.test", "--password", "secret", "--since", "-2d", "--window", 14_400, "--data-dir",
                               target_dir, "--state", work / "other.json")
            tally.check("from the beginning again, by password: all there already",
                        f"\n0 sessions written, {len(listed)} there already" in other.stdout, other.stdout)
            refused = run_import("smartsight", "--from", source.url, "--customer", CUSTOMER, "--api-key",
                                 "wrong", "--since", "-2d", "--data-dir", target_dir, "--state",
                                 work / "third.json", check=False)
            tally.check("a wrong key is refused at once",
                        refused.returncode == 1 and "answered 401" in refused.stderr, refused.stderr)
            table = source.send(
                f"/mm-apis/listsessions/{CUSTOMER}?period=last=3d&limit=0&format=parquet&sessiontype="
                "started&metrics=starttime,endtime,viewstatus,latency,watchtime,cirrbufferduration,"
                "cirrbuffercount,cdn,avgbitrate&aggby=sessionid", headers={"X-API-Key": key}).body
        target_key = harness.add_key(target_dir)
        with harness.Server(target_dir) as target:
            target.key = target_key
            rows = target.send(f"/mm-apis/sql/{CUSTOMER}", "POST", statement,
                               {"X-API-Key": target_key, "Content-Type": "text/plain"}).json()["data"]
            tally.check("every session once, as it was there", rows == listed and len(rows) > 290,
                        f"{len(rows)} {[pair for pair in zip(rows, listed) if pair[0] != pair[1]][:1]}")
            same_rows(tally, "the totals agree", moved, kpis(target))
            same_rows(tally, "by CDN they agree", by_cdn, kpis(target, "cdn"))
            same_rows(tally, "by status they agree", by_status, kpis(target, "viewstatus"))
            uneven = target.send(f"/mm-apis/sql/{CUSTOMER}", "POST", (
                "SELECT count() AS n FROM (SELECT sessionid, sum(playing_ms) AS p, sum(plays) AS k FROM "
                "slices GROUP BY sessionid) AS a JOIN sessions AS b USING (sessionid) WHERE a.p != "
                "b.playing_ms OR a.k != b.plays"),
                {"X-API-Key": target_key, "Content-Type": "text/plain"}).json()["data"]
            tally.equal("minutes add up to their sessions", int(uneven[0]["n"]), 0)
        tables(tally, work, table, moved, len(listed))


def tables(tally, work, parquet, kpis_of_source, sessions):
    (work / "list.parquet").write_bytes(parquet)
    (work / "mapping.yaml").write_text(
        "columns:\n  sessionid: sessionid\n  start_time: starttime\n  end_time: endtime\n"
        "  viewstatus: viewstatus\n  startup_ms: {from: latency, unit: s}\n"
        "  watch_ms: {from: watchtime, unit: min}\n  stall_ms: {from: cirrbufferduration, unit: s}\n"
        "  stall_count: cirrbuffercount\n  cdn: cdn\n  avgbitrate_kbps: avgbitrate\n"
        "  country: {value: DE}\n")
    data_dir = new_data_dir(work, "parquet")
    command = ["sessions", "--data-dir", data_dir, "--customer", CUSTOMER, "--mapping",
               work / "mapping.yaml", work / "list.parquet"]
    trial = run_import(*command, "--check")
    tally.check("a trial shows and stores nothing", "viewstatus:" in trial.stdout
                and "every column is used" in trial.stdout
                and sql(data_dir, "SELECT count() AS n FROM sessions")[0]["n"] in (0, "0"), trial.stdout)
    done = run_import(*command)
    tally.check("Parquet", f"\n{sessions} sessions written, 0 there already" in done.stdout, done.stdout)
    tally.check("what is not told is named", "counted as 0: " in done.stdout
                and "bytes" in done.stdout, done.stdout)
    statement = ("SELECT count() AS n, sum(plays) AS plays, sum(playing_ms + stall_ms) / 60000 AS watched, "
                 "sum(stall_count) AS stalls, sumIf(startup_ms, startup_ms >= 0) / countIf(startup_ms >= 0) "
                 "/ 1000 AS latency, countIf(country = 'DE') AS de FROM sessions FINAL")
    row = {key: float(value) for key, value in sql(data_dir, statement)[0].items()}
    tally.check("the sums are those of the list",
                row["n"] == row["de"] == sessions
                and close_enough(row["watched"], kpis_of_source[0]["watchtime"])
                and close_enough(row["latency"], kpis_of_source[0]["latency"])
                and row["stalls"] == kpis_of_source[0]["cirrbuffercount"], f"{row} {kpis_of_source}")
    again = run_import(*command)
    tally.check("again: nothing new", f"\n0 sessions written, {sessions} there already" in again.stdout,
                again.stdout)
    left = sql(data_dir, "SELECT count() AS n FROM system.tables WHERE name = 'import_staging'")
    tally.check("nothing is left of the file", left[0]["n"] in (0, "0"), left)


if __name__ == "__main__":
    sys.exit(harness.run_cases([another_server]))
