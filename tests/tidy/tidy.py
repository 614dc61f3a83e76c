#!/usr/bin/env python3
"""Holds the shape of the tree: include arrows, owners of third-party headers, sizes, names.

Prints one line per finding and, at the end, `N passed, N failed`; exits 1 when there is any.
Needs no build: the arrows are read from the ph_module() calls themselves.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# ARCHITECTURE: which module may know which. The CMake DEPS must be a subset of this.
ARROWS = {
    "base": set(),
    "model": {"base"},
    "net": {"base"},
    "wire": {"base", "model"},
    "enrich": {"base", "model"},
    "journal": {"base"},
    "timeline": {"base", "model"},
    "store": {"base", "model"},
    "store/chdb": {"base", "model", "store"},
    "directory": {"base"},
    "auth": {"base", "directory", "net"},
    "query/schedule": {"base"},
    "query": {"base", "model", "store", "query/schedule"},
    "query/smart": {"base", "model", "store", "query", "query/schedule"},
    "http": {"base", "net"},
    "ingest": {"base", "model", "http", "wire", "enrich", "journal", "timeline", "store",
               "directory", "auth"},
    "api": {"base", "model", "net", "http", "auth", "query", "query/schedule", "query/smart",
            "alerts", "directory", "store", "exports"},
    "exports": {"base", "model", "net", "query", "store", "directory"},
    "notify": {"base", "net", "directory", "enrich"},
    "alerts": {"base", "model", "query", "store", "directory", "notify"},
    "importers": {"base", "model", "net", "http", "wire", "enrich", "store", "query"},
}
# Third-party headers and the only modules that may include them.
OWNERS = [
    (re.compile(r"^boost/(asio|beast)"), {"net", "http"}),
    # exports signs requests to S3; auth's hashes are not for it to know.
    # timeline checks the digests in payload ids, notify signs webhooks.
    (re.compile(r"^openssl/"), {"net", "auth", "enrich", "exports", "notify", "timeline"}),
    (re.compile(r"^sqlite3"), {"directory"}),
    (re.compile(r"^simdjson"), {"wire", "auth", "app", "api", "exports", "importers"}),
    (re.compile(r"^maxminddb"), {"enrich"}),
    (re.compile(r"^re2/"), {"enrich", "query"}),
    (re.compile(r"^(cjose|jansson)"), {"auth"}),
    (re.compile(r"^dlfcn"), {"store/chdb"}),
    (re.compile(r"^spdlog/"), {"base"}),
    (re.compile(r"^CLI/"), {"app"}),
]
LINE_MAX = 100
FILE_MAX = 500
BANNED_STEM = re.compile(r"(^|_)(utils?|helpers?|common|misc)($|_)")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")
HOSTS = re.compile(r"registry\.npmjs|deb\.debian\.org|/root/|/work/")

findings = []
checks = 0


def check(good, where, what):
    global checks
    checks += 1
    if not good:
        findings.append(f"{where}: {what}")


def tracked():
    out = subprocess.run(["git", "-C", str(ROOT), "ls-files"], check=True, capture_output=True,
                         text=True).stdout
    return [ROOT / line for line in out.splitlines() if (ROOT / line).is_file()]


def modules():
    found = {}
    for cmake in (ROOT / "src").rglob("CMakeLists.txt"):
        text = cmake.read_text()
        match = re.search(r"ph_module\(NAME\s+(\S+?)[\s)]", text)
        if not match:
            continue
        call = text[match.start():text.index(")", match.start())]
        deps = re.search(r"\bDEPS\s+(.*?)(?=\b(?:LIBS|TEST_LIBS|TEST_DEPS)\b|$)", call, re.S)
        test = re.search(r"\bTEST_DEPS\s+(.*?)(?=\b(?:LIBS|TEST_LIBS|DEPS)\b|$)", call, re.S)
        found[match.group(1)] = (set(deps.group(1).split()) if deps else set(),
                                 set(test.group(1).split()) if test else set())
    return found


def module_of(path, names):
    relative = path.relative_to(ROOT / "src").as_posix()
    for name in sorted(names, key=len, reverse=True):
        if relative.startswith(name + "/"):
            return name
    return relative.split("/")[0]


def closure(name, known):
    seen, todo = set(), [name]
    while todo:
        for dep in known.get(todo.pop(), (set(), set()))[0]:
            if dep not in seen:
                seen.add(dep)
                todo.append(dep)
    return seen


def check_arrows(files):
    known = modules()
    for name, (deps, _) in known.items():
        if name in ARROWS:
            check(deps <= ARROWS[name], f"src/{name}", f"DEPS beyond the design: {deps - ARROWS[name]}")
    for path in files:
        if not path.is_relative_to(ROOT / "src") or path.suffix not in (".h", ".cc"):
            continue
        name = module_of(path, known)
        in_test = "tests" in path.parts or "bench" in path.parts
        allowed = {name} | closure(name, known)
        if in_test:
            for extra in known.get(name, (set(), set()))[1]:
                allowed |= {extra} | closure(extra, known)
        for number, line in enumerate(path.read_text().splitlines(), 1):
            where = f"{path.relative_to(ROOT)}:{number}"
            own = re.match(r'#include "([^"]+)"', line)
            if own and (path.parent / own.group(1)).exists():
                check(in_test, where, "a header of the same folder is named from src/")
            elif own and own.group(1) != "app/version.h":  # that one is generated
                target = module_of(ROOT / "src" / own.group(1), known)
                check((ROOT / "src" / own.group(1)).exists() or "simulator/" in own.group(1)
                      or own.group(1).endswith(".inc"),
                      where, f"no such header {own.group(1)}")
                if name != "app" and "simulator/" not in own.group(1):
                    check(target in allowed, where, f"{name} may not include {target}")
            foreign = re.match(r"#include <([^>]+)>", line)
            if foreign and not in_test:
                for pattern, owners in OWNERS:
                    if pattern.match(foreign.group(1)):
                        check(name in owners, where, f"<{foreign.group(1)}> belongs to {owners}")


def check_coroutines(files):
    """g++ 12 destroys a braced aggregate or a value-capturing lambda inside co_await twice."""
    for path in files:
        if path.suffix not in (".h", ".cc"):
            continue
        text = path.read_text()
        for match in re.finditer(r"\bco_await\b([^;]*);", text):
            rest = re.sub(r"\"(\\.|[^\"])*\"", '""', match.group(1))
            line = text.count("\n", 0, match.start()) + 1
            where = f"{path.relative_to(ROOT)}:{line}"
            check("{" not in rest, where, "braces to the right of co_await (name it first)")
            check(not re.search(r"\[[^\]&=]*\w[^\]]*\]\s*[({]|\[=\]", rest) or "[&" in rest, where,
                  "a capturing lambda to the right of co_await (name it first)")
        if "co_await" in text and path.is_relative_to(ROOT / "src"):
            module = path.relative_to(ROOT / "src").parts[0]
            check(module in ("net", "http"), path.relative_to(ROOT), "coroutines stay in net and http")


def check_files(files):
    for path in files:
        relative = path.relative_to(ROOT)
        size = path.stat().st_size
        check(size < 400_000, relative, f"{size} bytes: no blobs in the tree")
        check(not BANNED_STEM.search(path.stem), relative, "a name that says nothing")
        if path.suffix not in (".h", ".cc", ".py", ".mjs", ".sql", ".sh", ".cmake"):
            continue
        lines = path.read_text().splitlines()
        if path.suffix != ".sql":  # a schema is as long as its columns are many
            check(len(lines) <= FILE_MAX, relative, f"{len(lines)} lines: more than one subject?")
        for number, line in enumerate(lines, 1):
            # Recorded bodies in tests stay as they were sent.
            if (len(line) > LINE_MAX and path.suffix in (".h", ".cc")
                    and not ("tests" in path.parts and '"' in line)):
                check(False, f"{relative}:{number}", f"{len(line)} columns")
            if path != pathlib.Path(__file__).resolve():
                check(not UNFINISHED.search(line), f"{relative}:{number}", "unfinished")
                check(not HOSTS.search(line), f"{relative}:{number}", "names a host or machine path")


def check_folders():
    for cmake in (ROOT / "src").rglob("CMakeLists.txt"):
        check((cmake.parent / "README.md").exists(), cmake.parent.relative_to(ROOT), "no README.md")


def main():
    files = tracked()
    check_arrows(files)
    check_coroutines(files)
    check_files(files)
    check_folders()
    for finding in findings:
        print(finding)
    print(f"{checks - len(findings)} passed, {len(findings)} failed")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
