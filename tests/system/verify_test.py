#!/usr/bin/env python3
"""`playhead verify`: the whole path against the simulator's truth, and its refusals."""
import re
import sys

import harness


def agrees_with_the_truth(tally):
    with harness.folder("playhead-verify-") as work:
        done = harness.playhead("verify", "--data-dir", work / "data", "--seed", "11",
                                "--sessions", "60", "--hours", "0.2", check=False, timeout=300)
        last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr
        tally.equal("exit code", done.returncode, 0)
        tally.check("every session and metric agrees",
                    re.search(r"60 sessions compared: 0 differences$", last) is not None, last)
        again = harness.playhead("verify", "--data-dir", work / "data", "--seed", "11",
                                 "--sessions", "5", check=False)
        tally.check("a directory that has data is refused in one line",
                    again.returncode == 1 and len(again.stderr.strip().splitlines()) == 1,
                    again.stderr)


if __name__ == "__main__":
    sys.exit(harness.run_cases([agrees_with_the_truth]))
