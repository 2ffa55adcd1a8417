#!/usr/bin/env python3
"""Checks which folders of Sources use which, against the table in docs/floors.txt.

A file uses a folder if it names a type that a file of that folder declares at the top level. Comments and the
text of strings do not count, code inside of string interpolations does. Each use that the table does not allow
is printed with the file, the line and the type; so is each allowed use that no file makes any more.

Usage: check-floors.py [--graph]    --graph prints the uses that exist, in the form of the table.
"""
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "floors.txt"
DECLARATION = re.compile(
    r"^(?P<indent> *)(?:(?:public|package|internal|private|fileprivate|final|indirect|nonisolated|@\w+(?:\([^)]*\))?) +)*"
    r"(?:struct|enum|class|actor|protocol|typealias) +(?P<name>[A-Z]\w*)",
    re.M,
)
# A name after a dot belongs to the type before it.
NAME = re.compile(r"(?<![.\w`])[A-Z]\w*")


def code(text):
    """`text` with comments and string text blanked out; the lines stay where they are."""
    out, i, stack = [], 0, []  # stack: delimiters of the strings that are open, "(" for an interpolation
    while i < len(text):
        top = stack[-1] if stack else None
        if top in ('"', '"""', '#"', '"#'):
            close = {'"': '"', '"""': '"""', '#"': '"#'}[top]
            if top != '#"' and text.startswith("\\(", i):
                stack.append("(")
                i += 2
            elif top != '#"' and text[i] == "\\":
                i += 2
            elif text.startswith(close, i):
                stack.pop()
                i += len(close)
            else:
                out.append("\n" if text[i] == "\n" else " ")
                i += 1
            continue
        if text.startswith("//", i):
            end = text.find("\n", i)
            i = len(text) if end < 0 else end
        elif text.startswith("/*", i):
            end = text.find("*/", i)
            out.append("\n" * text.count("\n", i, end))
            i = end + 2
        elif text.startswith('#"', i) or text.startswith('"""', i) or text[i] == '"':
            opening = '#"' if text.startswith('#"', i) else '"""' if text.startswith('"""', i) else '"'
            stack.append(opening)
            i += len(opening)
        else:
            if text[i] == "(" and stack:
                stack.append("(")
            elif text[i] == ")" and stack:
                stack.pop()
            out.append(text[i])
            i += 1
    return "".join(out)


def folder(path):
    """`Agent/Logs` for a file in it, `Agent` for one beside the folders. A folder below belongs to the one above."""
    parts = path.relative_to(ROOT / "Sources").parts
    return "/".join(parts[:2]) if len(parts) > 2 else parts[0]


def uses():
    """(from, to) -> [(file, line, type)]"""
    sources = {p: code(p.read_text()) for p in sorted((ROOT / "Sources").rglob("*.swift"))}
    owners, nested = collections.defaultdict(set), collections.defaultdict(set)
    for path, text in sources.items():
        for found in DECLARATION.finditer(text):
            if found["indent"]:
                nested[path].add(found["name"])
            else:
                owners[found["name"]].add(folder(path))
    result = collections.defaultdict(list)
    for path, text in sources.items():
        here = folder(path)
        for number, line in enumerate(text.split("\n"), 1):
            for name in NAME.findall(line):
                found = owners.get(name, set())
                # Modules do not see into each other, but for Shared. The HTTP client is a module that sees none.
                modules = {here.split("/")[0], "Shared"} if here != "Shared/HTTP" else set()
                reach = {o for o in found if o.split("/")[0] in modules}
                if not reach or here in reach or name in nested[path]:
                    continue
                local = {o for o in reach if o.split("/")[0] == here.split("/")[0]}
                for owner in local or reach:
                    result[here, owner].append((path.relative_to(ROOT), number, name))
    return result


def table():
    """folder -> the folders that it may use"""
    allowed = {}
    for number, line in enumerate(TABLE.read_text().split("\n"), 1):
        line = line.split("#")[0].rstrip()
        if not line:
            continue
        name, colon, rest = line.partition(":")
        if not colon:
            sys.exit(f"{TABLE.name}:{number}: no colon in \"{line}\"")
        allowed[name.strip()] = rest.split()
    return allowed


def main():
    found = uses()
    if "--graph" in sys.argv[1:]:
        graph = collections.defaultdict(list)
        for (here, there), places in sorted(found.items()):
            graph[here].append(f"{there}({len(places)})")
        for here, there in graph.items():
            print(f"{here}: {' '.join(there)}")
        return 0
    allowed, bad = table(), 0
    for (here, there), places in sorted(found.items()):
        if there in allowed.get(here, []):
            continue
        for path, number, name in places[:5]:
            print(f"{path}:{number}: \"{name}\" is of {there}, which {here} may not use")
        bad += 1
    for here, theirs in allowed.items():
        for there in theirs:
            if (here, there) not in found:
                print(f"docs/{TABLE.name}: {here} uses nothing of {there} any more")
                bad += 1
    return 1 if bad else 0


sys.exit(main())
