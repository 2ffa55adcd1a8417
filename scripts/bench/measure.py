"""Measurements side by side: the ways of doing a thing take turns for several rounds, and their medians are compared.
"""

import json
import os
import statistics
import textwrap
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass
class Row:
    """One figure. `target` is for the ratio to the peer if the row has a ratio, else for the value. `spread` is of the
    value.
    """

    name: str
    value: float
    unit: str
    spread: str = ""
    peer: str = ""
    peer_value: float | None = None
    ratio: float | None = None
    target: str = ""
    held: bool | None = None
    # The definition of a figure whose name does not say it.
    note: str = ""


def take_turns(ways, rounds, fewer=None):
    """Runs each way `rounds` times, or as often as `fewer` says for its name. The ways take turns, so a change of the
    machine's speed meets all of them. The disk has nothing left to write when a way begins, so no way pays for the one
    before it.

    A way returns a dict of figures. Returns a dict of the figures of all rounds, as lists, for each way.
    """
    seen = {name: {} for name in ways}
    for number in range(rounds):
        for name, way in ways.items():
            if number >= (fewer or {}).get(name, rounds):
                continue
            os.sync()
            for figure, value in way().items():
                seen[name].setdefault(figure, []).append(value)
    return seen


def row(name, unit, values, peer="", peer_values=None, target="", note=""):
    """A row of the medians of `values` and `peer_values`. `target` is `<= N` or `>= N`."""
    value = statistics.median(values)
    peer_value = statistics.median(peer_values) if peer_values else None
    ratio = value / peer_value if peer_value else None
    spread = f"{min(values):.3g} to {max(values):.3g}" if len(values) > 1 else ""
    held = None
    if target:
        sign, limit = target.split()
        compared = value if ratio is None else ratio
        held = compared <= float(limit) if sign == "<=" else compared >= float(limit)
    return Row(name, value, unit, spread, peer, peer_value, ratio, target, held, note)


def report(rows, path):
    """Prints the rows as a table and writes them to `path` as JSON. Returns whether all targets were met."""
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
    for note in dict.fromkeys(r.note for r in rows if r.note):
        names = ", ".join(r.name for r in rows if r.note == note)
        print(f"\n{names}:\n{textwrap.fill(note, 120, initial_indent='  ', subsequent_indent='  ')}")
    Path(path).write_text(json.dumps([asdict(r) for r in rows], indent=1) + "\n")
    return all(r.held is not False for r in rows)
