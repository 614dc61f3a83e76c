#!/usr/bin/env python3
"""A disk that fills up, and a directory that turns read-only: a clear 503, readiness with the reason,
nothing lost, and it goes on."""
import contextlib
import itertools
import json
import os
import subprocess
import sys
import time

import harness

SIZE_MIB = 96
JSON = {"Content-Type": "application/json"}


@contextlib.contextmanager
def small_disk():
    """A tmpfs of its own; None where mounting is not permitted."""
    with harness.folder("playhead-disk-") as work:
        mounted = work / "disk"
        mounted.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "tmpfs",
                               mounted], capture_output=True)
        if done.returncode != 0:
            yield None
            return
        try:
            yield mounted
        finally:
            subprocess.run(["umount", "-l", mounted], check=True)


def fill(path):
    """Takes all the space that is left."""
    with open(path, "wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 65536)
        with contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 512)


class Beacons:
    """Numbered events of a customer; remembers what was acknowledged."""

    def __init__(self):
        self.numbers, self.acknowledged = itertools.count(1), set()

    def send(self, server):
        number = next(self.numbers)
        body = harness.smartsight_event(f"full-{number // 20}", "ERROR", f"pid-{number}",
                                        int(time.time() * 1000),
                                        desc=f"{number}_numbered@@WARNING@@test")
        answer = server.send("/produce", "POST", body, JSON)
        if answer.status == 200:
            self.acknowledged.add(number)
        return answer

    def check_stored(self, tally, data):
        """After a restart every acknowledged one is there, once."""
        with harness.Server(data, durability="fsync") as server:
            harness.wait_until(lambda: server.metrics()["playhead_cuts_behind"] == 0, 20,
                               "recovery")
            server.stop()
        text = harness.playhead("sql", "--data-dir", data, "--format", "JSONEachRow",
                                "SELECT errorcode AS code FROM events WHERE sessionid LIKE 'full-%'"
                                ).stdout
        stored = [int(json.loads(line)["code"]) for line in text.splitlines()]
        lost = self.acknowledged - set(stored)
        tally.check("nothing acknowledged is lost", not lost, str(sorted(lost)[:10]))
        tally.equal("nothing is there twice", len(stored), len(set(stored)))


def refused_and_resumed(tally, server, beacons, word, mend):
    """From the first refusal until all is well again after `mend`."""
    refused = harness.wait_until(
        lambda: next((a for a in [beacons.send(server)] if a.status != 200), None), 20,
        "a refusal")
    tally.check("503 as a problem with Retry-After", refused.is_problem(503) and
                "retry-after" in refused.headers, repr(refused))
    tally.check("the problem names the reason", word in refused.body.decode().lower(),
                repr(refused))
    ready = server.send("/readyz")
    tally.check("readyz: 503 with the reason", ready.is_problem(503) and
                word in ready.body.decode().lower(), repr(ready))
    tally.equal("healthz stays 200", server.send("/healthz").status, 200)
    time.sleep(3)
    statuses = {beacons.send(server).status for _ in range(10)}
    tally.check("it goes on refusing", statuses <= {503, 200} and 503 in statuses, str(statuses))
    cmcd = server.send(f"/cmcd/{harness.CUSTOMER}/full", "POST", 'e=ps,sta=p,v=2,ts=1',
                       {"Content-Type": "application/cmcd"})
    tally.equal("CMCD is 204 all the same", cmcd.status, 204)
    mend()
    begun = time.monotonic()
    harness.wait_until(lambda: beacons.send(server).status == 200, 20, "taking beacons again")
    tally.check("mended: beacons are taken again", True)
    harness.wait_until(lambda: server.send("/readyz").status == 200, 20, "readiness")
    print(f"     after {time.monotonic() - begun:.1f} s", flush=True)
    tally.check("then all of them", all(beacons.send(server).status == 200 for _ in range(40)))
    harness.wait_until(lambda: server.metrics()["playhead_cuts_behind"] == 0, 20,
                       "the store to catch up")
    code, _ = server.stop()
    tally.equal("stops cleanly", code, 0)


def disk_full(tally):
    with small_disk() as disk:
        if disk is None:
            return tally.skip("disk full", "this machine does not permit mounts")
        harness.add_tenant(disk / "data")
        beacons = Beacons()
        with harness.Server(disk / "data", durability="fsync") as server:
            tally.check("beacons are taken",
                        all(beacons.send(server).status == 200 for _ in range(40)))
            time.sleep(1.5)
            fill(disk / "filler")
            refused_and_resumed(tally, server, beacons, "space",
                                lambda: os.unlink(disk / "filler"))
        beacons.check_stored(tally, disk / "data")


def frozen(path, on):
    """Makes all below `path` immutable, open files included; False where that is not possible."""
    done = subprocess.run(["chattr", "-R", "+i" if on else "-i", path], capture_output=True)
    return done.returncode == 0


def turned_read_only(tally):
    with harness.folder("playhead-frozen-") as work:
        data = work / "data"
        harness.add_tenant(data)
        if not frozen(data, True) or not frozen(data, False):
            frozen(data, False)
            return tally.skip("read-only directory", "this file system has no immutable files")
        beacons = Beacons()
        with harness.Server(data, durability="fsync") as server:
            try:
                tally.check("beacons are taken",
                            all(beacons.send(server).status == 200 for _ in range(40)))
                time.sleep(1.5)
                frozen(data, True)
                refused_and_resumed(tally, server, beacons, "permitted",
                                    lambda: frozen(data, False))
            finally:
                frozen(data, False)
        beacons.check_stored(tally, data)


def full_at_start(tally):
    with small_disk() as disk:
        if disk is None:
            return tally.skip("full at start", "this machine does not permit mounts")
        harness.add_tenant(disk / "data")
        fill(disk / "filler")
        done = harness.playhead("serve", "--data-dir", disk / "data", "--listen", "127.0.0.1:0",
                                check=False)
        lines = [line for line in done.stderr.splitlines() if line.startswith("playhead: ")]
        tally.check("a start on a full disk is refused in words",
                    0 < done.returncode < 128 and len(lines) == 1, done.stderr[-500:])
        os.unlink(disk / "filler")
        with harness.Server(disk / "data", durability="fsync") as server:
            tally.equal("and works once there is space", server.send("/readyz").status, 200)


if __name__ == "__main__":
    sys.exit(harness.run_cases([disk_full, turned_read_only, full_at_start]))
