"""Reads a recorded capture and its truth file into one shape, whatever recorded them.

Two families exist: SmartSight SDKs (`truth["sdk"]`, beacons that state numbers) and CMCD players
(`truth["events"]`: what the page saw). Captures not seen yet are read the same way; what a truth
file does not say is None and is not compared.
"""
import dataclasses
import json
import pathlib
import urllib.parse

# The long names of the compact keys that are looked at.
LONG = {"qd": "qubitData", "sd": "streamID", "pe": "pbEventInfo", "pif": "pbInfo",
        "si": "sessionId", "pi": "pId", "e": "event", "l": "latency", "bw": "buffWait",
        "ud": "pauseDuration", "ci": "custId", "sgi": "segInfo", "cb": "cbrBitrate",
        "t": "timestamp"}


@dataclasses.dataclass
class Stated:
    """What the beacons of one session say in numbers, each payload id once."""
    beacons: int = 0
    names: list = dataclasses.field(default_factory=list)
    latency_ms: int | None = None
    stalls_ms: list = dataclasses.field(default_factory=list)
    pauses_ms: list = dataclasses.field(default_factory=list)
    bitrates: list = dataclasses.field(default_factory=list)  # (time, bit/s)
    bitrate_reports: int = 0

    def bitrate_changes(self):
        values = [value for _, value in sorted(self.bitrates)]
        return sum(1 for before, after in zip(values, values[1:]) if before != after)


@dataclasses.dataclass
class Capture:
    path: pathlib.Path
    truth: dict
    family: str  # "smartsight", "app", "cmcd-events" or "cmcd-requests"
    stated: dict  # by session id
    refused: int  # requests that have to be refused: no customer in them

    @property
    def name(self):
        return self.path.name.removesuffix(".ndjson")


def get(record, name):
    """A member by its long name, in either spelling."""
    if not isinstance(record, dict):
        return None
    if name in record:
        return record[name]
    return next((record[short] for short, long in LONG.items() if long == name and short in record),
                None)


def number_of(record, name):
    value = get(record, name)
    return int(value) if isinstance(value, (int, float)) else None


def read_smartsight(lines, stated):
    """Adds what the producer bodies state; the family and how many have no customer."""
    seen, refused, app = set(), 0, False
    for line in lines:
        if line["method"] != "POST":
            continue
        record = json.loads(line["body"])
        for entry in get(record, "qubitData") or []:
            stream = get(entry, "streamID") or {}
            session, pid = get(stream, "sessionId"), get(stream, "pId")
            if session is None:
                app = True
                continue
            if not isinstance(get(stream, "custId"), int):
                refused += 1
                continue
            if pid in seen:
                continue
            seen.add(pid)
            read_entry(entry, stated.setdefault(session, Stated()))
    return "app" if app and not stated else "smartsight", refused


def read_entry(entry, facts):
    facts.beacons += 1
    event = get(entry, "pbEventInfo") or {}
    name = get(event, "event")
    if name:
        facts.names.append(name)
    segments = get(entry, "segInfo")
    for part in segments if isinstance(segments, list) else [segments]:
        if number_of(part, "cbrBitrate"):
            facts.bitrates.append((number_of(part, "timestamp"), number_of(part, "cbrBitrate")))
    information = get(entry, "pbInfo")
    for part in information if isinstance(information, list) else [information]:
        if name in ("START", "START_AFTER_AD") and number_of(part, "latency") is not None:
            facts.latency_ms = number_of(part, "latency")
        if name == "RESUME" and number_of(part, "pauseDuration") is not None:
            facts.pauses_ms.append(number_of(part, "pauseDuration"))
        if number_of(part, "buffWait") is not None:
            facts.stalls_ms.append(number_of(part, "buffWait"))


def members(record):
    """Keys and raw values of a CMCD record; enough for sid, sn, e and v."""
    found, depth, begin = {}, 0, 0
    quoted = False
    for index, char in enumerate(record + ","):
        if char == '"' and (index == 0 or record[index - 1] != "\\"):
            quoted = not quoted
        elif not quoted and char == "(":
            depth += 1
        elif not quoted and char == ")":
            depth -= 1
        elif not quoted and depth == 0 and char == ",":
            key, _, value = record[begin:index].partition("=")
            found[key.strip()] = value.strip().strip('"')
            begin = index + 1
    return found


def headers_of(line):
    if isinstance(line.get("headers"), dict):
        return {name.lower(): value for name, value in line["headers"].items()}
    raw = line.get("rawHeaders", [])
    return {raw[at].lower(): raw[at + 1] for at in range(0, len(raw) - 1, 2)}


def read_cmcd(lines, stated):
    family, seen = "cmcd-requests", set()
    for line in lines:
        if line["method"] == "POST":
            family = "cmcd-events"
            records = [members(text) for text in line["body"].split("\n") if text.strip()]
            path_sid = urllib.parse.urlsplit(line["url"]).path.rsplit("/", 1)[1]
        elif line["method"] == "GET":
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(line["url"]).query)
            text = query.get("CMCD", [""])[0] or ",".join(
                value for name, value in headers_of(line).items() if name.startswith("cmcd-"))
            records, path_sid = ([members(text)] if text else []), None
        else:
            continue
        for record in records:
            sid = record.get("sid", path_sid)
            if sid is None:
                continue
            once = (sid, line["method"], record.get("sn"))
            if record.get("sn") is not None and once in seen:
                continue
            seen.add(once)
            facts = stated.setdefault(sid, Stated())
            facts.beacons += 1
            if "e" in record:
                facts.names.append(record["e"])
                facts.bitrate_reports += record["e"] == "bc"
    return family


def read_capture(path):
    lines = [json.loads(line) for line in path.read_text().splitlines() if line]
    truth_path = path.with_name(path.name.removesuffix(".ndjson") + ".truth.json")
    truth = json.loads(truth_path.read_text()) if truth_path.exists() else {}
    stated, refused = {}, 0
    if "player" in truth or any("cmcd" in json.dumps(line).lower() for line in lines):
        family = read_cmcd(lines, stated)
    else:
        family, refused = read_smartsight(lines, stated)
    return Capture(path, truth, family, stated, refused)


def seen_by_page(truth):
    """What the page of a CMCD capture saw, in ms: the video element's events integrated."""
    events = [event for event in truth["events"]]
    by_type = lambda name: next((e["t"] for e in events if e["type"] == name), None)
    playing = by_type("video.playing")
    page = {"startup": None, "stalls": [], "pauses": [], "seeks": 0, "playing": 0,
            "ended": by_type("video.ended") is not None,
            "fatal": sum(1 for e in events if e["type"] == "hls.ERROR" and e.get("fatal")),
            "left": by_type("video.emptied")}
    if playing is None:
        page["seeks"] = sum(1 for e in events if e["type"] == "video.seeking")
        return page
    page["startup"] = playing - by_type("user.load")
    since, waiting, paused, seeking = playing, None, None, False
    for event in events:
        kind, at = event["type"], event["t"]
        if at <= playing and kind != "video.seeking":
            continue
        if kind in ("video.waiting", "video.seeking", "video.pause", "video.ended",
                    "video.emptied") and since is not None:
            page["playing"] += at - since
            since = None
        if kind == "video.waiting" and not seeking and paused is None and waiting is None:
            waiting = at
        elif kind == "video.seeking":
            page["seeks"] += 1
            seeking = True
        elif kind == "video.pause":
            paused = at
        elif kind == "video.playing":
            if waiting is not None:
                page["stalls"].append(at - waiting)
            if paused is not None:
                page["pauses"].append(at - paused)
            since, waiting, paused, seeking = at, None, None, False
    return page
