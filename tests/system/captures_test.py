#!/usr/bin/env python3
"""Every recorded capture: replayed at once, the API must say what the truth file says.

Also replayed twice, in reversed and in shuffled order, which must change no number.
"""
import json
import random
import sys
import time

import harness
from capture_truth import read_capture, seen_by_page

STALL_MS, STARTUP_MS, PLAY_MS = 20, 80, 120
# The SDKs notice stalls by polling: what they state is exact against their beacons, and this far
# from the truth. RN 4.6.0 overstates by design of its polling and is not held against the truth.
SDK_STALL_MS = 60
DROP_SECONDS = 3 * 1 + 60 + 5 + 15  # closed sessions are stored every 5 s

FIGURES = ("attempts", "plays", "startup_ms", "stall_ms", "stall_count", "seek_stall_ms",
           "seek_stall_count", "pause_ms", "pause_count", "seek_count", "playing_ms",
           "rendition_changes", "fatal_errors", "warnings", "ad_breaks", "ad_starts",
           "ad_completions", "ad_ms", "viewstatus", "endreason", "errorcode", "start_time",
           "first_frame_time", "bitrate_max_kbps", "beacons")


def captures():
    found = sorted((harness.SHARED_DATA / "captures").glob("*/*.ndjson"))
    return [read_capture(path) for path in found]


def detail(server, session_id, beacons, with_ads=False):
    """The session, once all its beacons can be seen, and the ads of an ended one if asked for."""
    def look():
        found = server.session(session_id)
        if not found or found["session"]["beacons"] < beacons:
            return None
        row = found["session"]
        missing = with_ads and row["ad_starts"] > len(found["ads"]) and row["endreason"]
        # A block reaches its tables one by one: ask again once the block is whole.
        whole = server.metrics()["playhead_cuts_behind"] == 0
        return server.session(session_id) if whole and not missing else None
    return harness.wait_until(look, 15, f"{beacons} beacons of {session_id}")


def replay(server, *paths, check=True):
    return harness.playhead("replay", "--to", server.url, "--speed", "0", *paths, check=check)


def compare_stated(tally, name, row, facts):
    """What an SDK states is taken over exactly."""
    tally.equal(f"{name}: every beacon counted once", row["beacons"], facts.beacons)
    tally.equal(f"{name}: none is missing by its number", row["beacons_lost"], 0)
    if facts.latency_ms is not None:
        tally.equal(f"{name}: startup as stated", row["startup_ms"], facts.latency_ms)
    if facts.stalls_ms:
        tally.equal(f"{name}: stalls as stated", row["stall_ms"] + row["seek_stall_ms"],
                    sum(facts.stalls_ms))
        tally.equal(f"{name}: number of stalls", row["stall_count"] + row["seek_stall_count"],
                    len(facts.stalls_ms))
    if facts.pauses_ms:
        tally.equal(f"{name}: pauses as stated", row["pause_ms"], sum(facts.pauses_ms))


def compare_smartsight(tally, capture, found):
    name, truth, row = capture.name, capture.truth, found["session"]
    facts = next(iter(capture.stated.values()))
    if truth.get("startup_ms") is not None and facts.latency_ms is not None:
        tally.near(f"{name}: startup", row["startup_ms"], truth["startup_ms"], STARTUP_MS)
    stalls = [stall for stall in truth.get("stalls", []) if "ms" in stall]
    if facts.stalls_ms and "4.6.0" not in truth.get("sdk", ""):
        tally.near(f"{name}: stalled time", row["stall_ms"] + row["seek_stall_ms"],
                   sum(stall["ms"] for stall in stalls), SDK_STALL_MS * max(1, len(stalls)))
        tally.equal(f"{name}: stalls seen", row["stall_count"] + row["seek_stall_count"],
                    len(stalls))
    elif not stalls:
        tally.equal(f"{name}: no stall", [row["stall_ms"], row["stall_count"]], [0, 0])
    pauses = [pause for pause in truth.get("pauses", []) if "ms" in pause]
    if "PAUSE" in facts.names or not pauses:
        tally.near(f"{name}: paused time", row["pause_ms"], sum(p["ms"] for p in pauses), 80)
    if "SEEK_START" in facts.names:
        tally.equal(f"{name}: seeks", row["seek_count"], len(truth.get("seeks", [])))
    if facts.latency_ms is not None and facts.bitrates:
        tally.equal(f"{name}: rendition changes", row["rendition_changes"],
                    facts.bitrate_changes())
    reported = [event for event in found["events"] if event["severity"] in (1, 2, 3)]
    if "errors" in truth:
        stated = sum(1 for event in facts.names if event.endswith("ERROR") or
                     event.startswith(("RF_", "RC_")))
        tally.equal(f"{name}: errors and warnings", len(reported), stated)
    if truth.get("content_play_ms") is not None and row["viewstatus"] == "ENDED":
        tally.near(f"{name}: play time", row["playing_ms"], truth["content_play_ms"], PLAY_MS)
    compare_ads(tally, capture, found, facts)
    compare_end(tally, name, truth, facts, row)


def compare_ads(tally, capture, found, facts):
    if "AD_PLAY" not in facts.names:
        return
    name, row, breaks = capture.name, found["session"], capture.truth.get("ad_breaks", [])
    truth = [ad for entry in breaks for ad in entry.get("ads", [])]
    tally.equal(f"{name}: ad breaks", row["ad_breaks"], len(breaks))
    tally.equal(f"{name}: ads in their order", [ad["adid"] for ad in found["ads"]],
                [ad["info"]["adId"] for ad in truth])
    for shown, ad in zip(found["ads"], truth):
        label = f"{name}: {ad['info']['adId']}"
        if "played_ms" in ad:
            tally.near(f"{label} play time", shown["playing_ms"], ad["played_ms"], PLAY_MS)
        if "pause_ms" in ad:
            tally.near(f"{label} pause", shown["pause_ms"], ad["pause_ms"], STARTUP_MS)
        if "played to end" in ad.get("outcome", ""):
            tally.equal(f"{label} completed", shown["completed"], 1)
        elif "left early" in ad.get("outcome", ""):
            tally.equal(f"{label} not completed", shown["completed"], 0)


def compare_end(tally, name, truth, facts, row):
    end = truth.get("end_type") or ""
    if "COMPLETE" in facts.names:
        tally.equal(f"{name}: end state", [row["viewstatus"], row["endreason"]],
                    ["ENDED", "complete"])
    elif "ENDED" in facts.names:
        tally.equal(f"{name}: end state", row["viewstatus"], "ENDED")
    elif end.startswith("ABANDONED"):
        tally.check(f"{name}: not ended", row["viewstatus"] in ("RUNNING", "DROPPED"),
                    row["viewstatus"])
    elif "ERROR" in facts.names and "START" not in facts.names and truth.get("errors"):
        tally.equal(f"{name}: end state", row["viewstatus"], "FAILED")


def compare_events(tally, capture, found):
    """CMCD v2 event mode: the player's own clock, so the page's times hold."""
    name, row = capture.name, found["session"]
    page = seen_by_page(capture.truth)
    facts = next(iter(capture.stated.values()))
    tally.equal(f"{name}: every report counted once", row["beacons"], facts.beacons)
    tally.equal(f"{name}: plays", row["plays"], int(page["startup"] is not None))
    if page["startup"] is not None:
        tally.near(f"{name}: startup", row["startup_ms"], page["startup"], STARTUP_MS)
    tally.equal(f"{name}: number of stalls", row["stall_count"], len(page["stalls"]))
    tally.near(f"{name}: stalled time", row["stall_ms"], sum(page["stalls"]),
               STALL_MS * max(1, len(page["stalls"])))
    tally.equal(f"{name}: seeks", row["seek_count"], page["seeks"])
    tally.equal(f"{name}: pauses", row["pause_count"], len(page["pauses"]))
    tally.near(f"{name}: paused time", row["pause_ms"], sum(page["pauses"]), STARTUP_MS)
    tally.equal(f"{name}: bitrate changes", row["rendition_changes"],
                max(0, facts.bitrate_reports - 1))
    if page["ended"]:
        tally.near(f"{name}: play time", row["playing_ms"], page["playing"], PLAY_MS)
        tally.equal(f"{name}: end state", row["viewstatus"], "ENDED")
    if page["fatal"] and page["startup"] is None:
        tally.equal(f"{name}: end state", row["viewstatus"], "FAILED")
        tally.check(f"{name}: its error", row["fatal_errors"] >= 1 and row["errorcode"])


def compare_requests(tally, capture, found):
    """CMCD v1: no times in the reports; what can be counted must be right."""
    name, row, page = capture.name, found["session"], seen_by_page(capture.truth)
    facts = next(iter(capture.stated.values()))
    tally.equal(f"{name}: every request counted", row["beacons"], facts.beacons)
    tally.equal(f"{name}: one play", [row["attempts"], row["plays"]], [1, 1])
    tally.check(f"{name}: stalls, those of seeks perhaps included",
                len(page["stalls"]) <= row["stall_count"] <= len(page["stalls"]) + page["seeks"],
                f"{row['stall_count']}, the page saw {page['stalls']} and {page['seeks']} seeks")


def compare(tally, server, capture):
    if not capture.stated:
        tally.check(f"{capture.name}: taken", True)
        return
    for session_id, facts in capture.stated.items():
        found = detail(server, session_id, facts.beacons, with_ads=True)
        if capture.family == "smartsight":
            compare_stated(tally, capture.name, found["session"], facts)
        if len(capture.stated) > 1 or not capture.truth:
            continue
        {"smartsight": compare_smartsight, "cmcd-events": compare_events,
         "cmcd-requests": compare_requests}[capture.family](tally, capture, found)
        compare_query(tally, server, capture, session_id, found["session"])


def compare_query(tally, server, capture, session_id, row):
    """The metrics of one session agree with its row."""
    end = int(time.time()) + 60
    answer = server.api(
        f"/mm-apis/metricquery/{harness.CUSTOMER}?period=start={end - 390 * 86400},end={end}"
        "&metrics=attempts,viewercount,latency,bufferduration,buffercount,pausecount,seekcount"
        f"&allstatus=1&sessiontype=started&filter=[sessionid={session_id}]")["response"]
    figures = answer[0] if answer else {}
    tally.equal(f"{capture.name}: metricquery agrees with the session", [
        figures.get("attempts"), figures.get("viewercount"), figures.get("pausecount"),
        figures.get("seekcount"), figures.get("buffercount"),
        round((figures.get("bufferduration") or 0) * 1000)],
        [row["attempts"], row["plays"], row["pause_count"], row["seek_count"],
         row["stall_count"] + row["seek_stall_count"], row["stall_ms"] + row["seek_stall_ms"]])


def ordered(capture):
    """Whether the beacons themselves say when and in which order they were made."""
    return capture.family in ("smartsight", "cmcd-events") and capture.stated


def in_other_orders(tally, all_captures):
    lines = []
    for capture in filter(ordered, all_captures):
        lines += [line for line in capture.path.read_text().splitlines() if line]
    rows = {}
    for order in ("as recorded", "twice", "reversed", "shuffled"):
        with harness.folder() as work, harness.served_customer() as server:
            mixed = {"as recorded": lines, "twice": lines + lines, "reversed": lines[::-1],
                     "shuffled": random.Random(7).sample(lines, len(lines))}[order]
            (work / "mixed.ndjson").write_text("\n".join(mixed) + "\n")
            replay(server, work / "mixed.ndjson", check=False)
            for capture in filter(ordered, all_captures):
                for session_id, facts in capture.stated.items():
                    row = detail(server, session_id, facts.beacons)["session"]
                    timeless = row["viewstatus"] == "RUNNING"
                    figures = {key: row[key] for key in FIGURES
                               if not (timeless and key == "playing_ms")}
                    same = rows.setdefault((capture.name, session_id), figures)
                    if order != "as recorded":
                        tally.check(f"{capture.name}: {order}", figures == same, json.dumps(
                            {key: [same.get(key), value] for key, value in figures.items()
                             if same.get(key) != value}))


def every_capture(tally):
    found = captures()
    if not found:
        return tally.skip("captures", f"no folder {harness.SHARED_DATA / 'captures'}")
    # Statistics every second, so that an abandoned session is given up after 63 s; no linger,
    # since the rows of ads are written when a session is closed.
    with harness.served_customer("--ingest-linger-ms", 0, tenant={"stats_interval": 1}) as server:
        for capture in found:
            done = replay(server, capture.path, check=capture.refused == 0)
            tally.check(f"{capture.name}: replayed", "requests sent" in done.stdout, done.stderr)
            compare(tally, server, capture)
        begun = time.monotonic()
        in_other_orders(tally, found)
        for capture in found:
            if not str(capture.truth.get("end_type", "")).startswith("ABANDONED"):
                continue
            session_id, = capture.stated
            harness.wait_until(
                lambda: server.session(session_id)["session"]["viewstatus"] == "DROPPED",
                DROP_SECONDS - (time.monotonic() - begun), f"{capture.name} given up")
            tally.check(f"{capture.name}: DROPPED after its time", True)


if __name__ == "__main__":
    sys.exit(harness.run_cases([every_capture]))
