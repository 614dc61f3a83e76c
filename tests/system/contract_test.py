"""The API contract: the OpenAPI document, its examples, clients and fuzz (tests/contract), and every
command of docs/api, on a server with simulated data."""
import os
import pathlib
import re
import subprocess
import sys

import harness
from harness import CUSTOMER, PLAN_LEVEL, ROOT

SESSIONS = 120
FUZZ_SECONDS = int(os.environ.get("PLAYHEAD_CONTRACT_SECONDS", "12"))


def keys_of(document):
    return [(path, method, entry) for path, methods in document["paths"].items()
            for method, entry in methods.items()]


def served_document(tally, server):
    answer = server.send("/openapi.json")
    tally.check("/openapi.json is served", answer.status == 200 and
                answer.type == "application/json", repr(answer))
    etag = answer.headers.get("etag", "")
    tally.check("and may be kept", "max-age" in answer.headers.get("cache-control", ""))
    again = server.send("/openapi.json", headers={"If-None-Match": etag})
    tally.check("304 for the one that is known", again.status == 304 and not again.body, repr(again))
    tally.check("a page of /docs", (page := server.send("/docs")).status == 200 and
                page.type == "text/html", repr(page))
    text = page.body.decode()
    for path, _, _ in keys_of(answer.json()):
        tally.check(f"/docs lists {path}", path in text)
    tally.check("/docs asks nobody else", not re.search(r"(src|href)=\"(https?:)?//", text), text)
    for name in re.findall(r'(?:src|href)="(/docs/[^"]+)"', text):
        tally.check(f"{name} is served", server.send(name).status == 200)


def fuzzed(tally, server, admin_key):
    done = subprocess.run(
        ["node", str(ROOT / "tests/contract/run.mjs"), "--url", server.url, "--customer",
         str(CUSTOMER), "--key", server.key, "--admin-key", admin_key, "--seconds",
         str(FUZZ_SECONDS), *sys.argv[1:]],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    print(done.stdout, done.stderr)
    closing = re.search(r"^(\d+) passed, (\d+) failed$", done.stdout, re.M)
    tally.check("tests/contract ran to its end", closing is not None, done.stderr[-500:])
    if closing:
        tally.passed += int(closing[1])
        tally.failed += int(closing[2])
    server.send("/healthz")  # still there


def commands_of(page):
    """The fenced `sh` blocks of a page, in order."""
    return re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.M | re.S)


def documented_commands(tally, server, admin_key):
    """Each block runs in a shell as it stands; it must print something, and curl must get 2xx."""
    session = server.api(f"/mm-apis/listsessions/{CUSTOMER}?metrics=subscriberid,assetid&period=last=24h&"
                         "filter=%5Bsubscriberid!=null%5D%5Bassetid!=null%5D&limit=1")["response"][0]
    with harness.folder() as work:
        (work / "curl").write_text('#!/bin/sh\nexec "$REAL_CURL" --fail-with-body "$@"\n')
        (work / "curl").chmod(0o755)
        real = subprocess.run(["which", "curl"], capture_output=True, text=True).stdout.strip()
        environment = {**os.environ, "BASE": server.url, "CUSTOMER": str(CUSTOMER),
                       "KEY": server.key, "ADMIN_KEY": admin_key, "PLAN": str(PLAN_LEVEL), "REAL_CURL": real,
                       "SESSION": session["sessionid"], "SUBSCRIBER": session["subscriberid"],
                       "ASSET": session["assetid"],
                       "EMAIL": "reader@example.test", "PASSWORD": "reader-password",
                       "REALM": "playhead", "PATH": f"{work}:{os.environ['PATH']}"}
        count = 0
        for page in sorted((ROOT / "docs/api").glob("*.md")):
            for command in commands_of(page):
                count += 1
                done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=work,
                                      env=environment, capture_output=True, text=True, timeout=60)
                written = [each for each in pathlib.Path(work).iterdir() if each.name != "curl"]
                good = done.returncode == 0 and (done.stdout.strip() or written)
                # There may well be no alert; everything else has rows.
                empty = '"response":[]' in done.stdout and "alert" not in command.lower()
                good = good and not empty
                tally.check(f"{page.name}: {' '.join(command.split())[:100]}", good,
                            f"{done.returncode} {done.stdout[:300]} {done.stderr[-300:]}")
                for each in written:
                    tally.check(f"{page.name}: {each.name} has rows", each.stat().st_size > 20)
                    each.unlink()
        tally.check("docs/api has commands", count > 10, str(count))
    queries = server.send("/openapi.json").json()["paths"]["/mm-apis/smartQuery/{customerId}"]["get"]
    shown = [name for command in commands_of(ROOT / "docs/api/smartquery.md")
             for name in re.findall(r"queryname=(\w+)", command)]
    tally.equal("smartquery.md has a command for each query", sorted(shown),
                sorted(queries["x-variants"]["of"]))


def on_one_server(tally):
    subprocess.run([str(ROOT / "scripts/fetch-node"), "tests/contract"], check=True)
    with harness.folder() as work:
        data = work / "data"
        harness.add_tenant(data)
        key = harness.add_key(data)
        admin_key = harness.add_key(data, scope="admin")
        harness.playhead("user", "add", "--data-dir", data, "--customer", CUSTOMER, "--email",
                         "reader@example.test", "--password", "reader-password", "--role", "viewer")
        harness.playhead("simulate", "--data-dir", data, "--customer", CUSTOMER, "--sessions",
                         SESSIONS, "--hours", 4, "--from", "-6h", timeout=240)
        with harness.Server(data) as server:
            server.key = key
            documented_commands(tally, server, admin_key)
            served_document(tally, server)
            fuzzed(tally, server, admin_key)


if __name__ == "__main__":
    sys.exit(harness.run_cases([on_one_server]))
