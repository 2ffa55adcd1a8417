"""Measurements side by side: each way is run in turn, several times, and the medians are compared."""

import json
import os
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass
class Row:
    """One figure. `target` holds for the ratio where there is a peer, and for the value where there is none."""

    name: str
    value: float
    unit: str
    spread: str = ""
    peer: str = ""
    peer_value: float | None = None
    ratio: float | None = None
    target: str = ""
    held: bool | None = None


def medians(ways, rounds):
    """Runs each way `rounds` times, interleaved so that what the machine does meanwhile meets all of them. Each begins with a disk that
    has nothing to write for the one before: a way that syncs would pay for one that does not.

    A way returns a dict of figures. Returns, for each way, the figures as lists.
    """
    seen = {name: {} for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            os.sync()
            for figure, value in way().items():
                seen[name].setdefault(figure, []).append(value)
    return seen


def row(name, unit, values, peer="", peer_values=None, target=""):
    """A row of medians; `target` is `<= N` or `>= N`."""
    value = statistics.median(values)
    peer_value = statistics.median(peer_values) if peer_values else None
    ratio = value / peer_value if peer_value else None
    spread = f"{min(values):.3g} to {max(values):.3g}" if len(values) > 1 else ""
    held = None
    if target:
        sign, limit = target.split()
        compared = value if ratio is None else ratio
        held = compared <= float(limit) if sign == "<=" else compared >= float(limit)
    return Row(name, value, unit, spread, peer, peer_value, ratio, target, held)


def report(rows, path):
    """Prints the rows as a table and writes them to `path` as JSON. Returns whether every target was held."""
    lines = [("what", "value", "spread", "peer", "ratio", "target", "")]
    for r in rows:
        lines.append(
            (
                r.name,
                f"{r.value:.4g} {r.unit}",
                r.spread,
                f"{r.peer}: {r.peer_value:.4g}" if r.peer_value is not None else "",
                f"{r.ratio:.3f}" if r.ratio is not None else "",
                (f"ratio {r.target}" if r.ratio is not None else f"{r.target} {r.unit}") if r.target else "",
                {True: "held", False: "MISSED", None: ""}[r.held],
            )
        )
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
    Path(path).write_text(json.dumps([asdict(r) for r in rows], indent=1) + "\n")
    return all(r.held is not False for r in rows)
