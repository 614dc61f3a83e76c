"""What the tests of `playhead import` share: running it, and reading a store that is not in use."""
import json
import subprocess

import harness
from harness import playhead


def sql(data_dir, statement):
    """Rows of a statement on a store that is not in use."""
    done = playhead("sql", "--data-dir", data_dir, "--format", "JSONEachRow", statement, timeout=120)
    return [json.loads(line) for line in done.stdout.splitlines()]


def run_import(*arguments, check=True, stdin=None):
    done = subprocess.run([harness.BINARY, "import", *map(str, arguments)], capture_output=True,
                          text=True, stdin=stdin or subprocess.DEVNULL, timeout=120)
    if check and done.returncode != 0:
        raise RuntimeError(f"import {arguments}: {done.returncode} {done.stdout} {done.stderr}")
    return done


def new_data_dir(work, name):
    harness.add_tenant(work / name)
    return work / name
