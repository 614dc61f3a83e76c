#!/usr/bin/env python3
"""Twenty times kill -9 under load; nothing acknowledged is lost, nothing is counted twice."""
import sys

import harness
from crash import crash


def kill_9_under_load(tally):
    crash(tally, rounds=20, seconds=2.0)


if __name__ == "__main__":
    sys.exit(harness.run_cases([kill_9_under_load]))
