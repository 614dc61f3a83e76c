#!/usr/bin/env python3
"""A disk that fills up: a clear 503, readiness with the reason, nothing lost, and it goes on."""
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


def disk_full(tally):
    with small_disk() as disk:
        if disk is None:
            return tally.skip("disk full", "this machine does not permit mounts")
        harness.add_tenant(disk / "data")
        numbers, acknowledged = itertools.count(1), set()

        def beacon(server):
            number = next(numbers)
            body = harness.smartsight_event(f"full-{number // 20}", "ERROR", f"pid-{number}",
                                            int(time.time() * 1000),
                                            desc=f"{number}_numbered@@WARNING@@test")
            answer = server.send("/produce", "POST", body, JSON)
            if answer.status == 200:
                acknowledged.add(number)
            return answer

        with harness.Server(disk / "data") as server:
            tally.check("beacons are taken", all(beacon(server).status == 200 for _ in range(40)))
            time.sleep(1.5)
            fill(disk / "filler")
            refused = harness.wait_until(
                lambda: next((a for a in [beacon(server)] if a.status != 200), None), 20,
                "a refusal")
            tally.check("full: 503 as a problem with Retry-After", refused.is_problem(503) and
                        "retry-after" in refused.headers, repr(refused))
            tally.check("the problem names the reason",
                        "space" in refused.body.decode().lower(), repr(refused))
            ready = server.send("/readyz")
            tally.check("readyz: 503 with the reason", ready.is_problem(503) and
                        "space" in ready.body.decode().lower(), repr(ready))
            tally.equal("healthz stays 200", server.send("/healthz").status, 200)
            time.sleep(3)
            statuses = {beacon(server).status for _ in range(10)}
            tally.check("it goes on refusing", statuses <= {503, 200} and 503 in statuses,
                        str(statuses))
            cmcd = server.send(f"/cmcd/{harness.CUSTOMER}/full", "POST", 'e=ps,sta=p,v=2,ts=1',
                               {"Content-Type": "application/cmcd"})
            tally.equal("CMCD is 204 all the same", cmcd.status, 204)
            os.unlink(disk / "filler")
            begun = time.monotonic()
            harness.wait_until(lambda: beacon(server).status == 200, 20, "taking beacons again")
            tally.check("space freed: beacons are taken again", True)
            harness.wait_until(lambda: server.send("/readyz").status == 200, 20, "readiness")
            print(f"     after {time.monotonic() - begun:.1f} s", flush=True)
            tally.check("then all of them", all(beacon(server).status == 200 for _ in range(40)))
            harness.wait_until(lambda: server.metrics()["playhead_cuts_behind"] == 0, 20,
                               "the store to catch up")
            code, _ = server.stop()
            tally.equal("stops cleanly", code, 0)
        with harness.Server(disk / "data") as server:
            harness.wait_until(lambda: server.metrics()["playhead_cuts_behind"] == 0, 20,
                               "recovery")
            server.stop()
        text = harness.playhead("sql", "--data-dir", disk / "data", "--format", "JSONEachRow",
                                "SELECT errorcode AS code FROM events WHERE sessionid LIKE 'full-%'"
                                ).stdout
        stored = [int(json.loads(line)["code"]) for line in text.splitlines()]
        lost = acknowledged - set(stored)
        tally.check("nothing acknowledged is lost", not lost, str(sorted(lost)[:10]))
        tally.equal("nothing is there twice", len(stored), len(set(stored)))


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
        with harness.Server(disk / "data") as server:
            tally.equal("and works once there is space", server.send("/readyz").status, 200)


if __name__ == "__main__":
    sys.exit(harness.run_cases([disk_full, full_at_start]))
