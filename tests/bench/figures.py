# SPDX-License-Identifier: Apache-2.0
"""How a benchmark in Python tells a figure: a row of the table that all benchmarks print, with its
target and whether that is met, and a line of JSON in the file that BENCH_FIGURES names, if it does,
of which bench.py makes build/bench.json. The figures and their targets: targets.def. In C:
figures.h, which prints the same row.
"""

from __future__ import annotations

import ast
import json
import math
import os
import re
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).resolve().with_name("targets.def")
DIRECTIONS = {"AT_MOST": "at most", "AT_LEAST": "at least", "LESS": "less", "MORE": "more"}
ROW = re.compile(r'^FIGURE\((\w+), ("[^"]+"), (\w+), ([-\d.]+), ([-\w.]+), ("[^"]+")\)$', re.M)


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    id: str
    unit: str
    direction: str
    target: float | None  # None: nothing is promised
    high: float | None  # for the upper end of the interval; None: the value alone decides
    name: str

    @property
    def promise(self) -> str:
        """ "at most 1.01, to 1.02"; "" where nothing is promised."""
        if self.target is None:
            return ""
        more = f", to {self.high:g}" if self.high is not None else ""
        return f"{self.direction} {self.target:g}{more}"


@dataclass(frozen=True)
class Figure:
    """A value, the ends of its 95 % interval if it has one, and how many it was taken from."""

    value: float
    low: float | None = None
    high: float | None = None
    repeats: int = 1


def read_table(text: str) -> dict[str, Row]:
    rows = {}
    for id_, unit, goal, target, high, name in ROW.findall(text):
        promised = goal in ("AT_MOST", "AT_LEAST")
        rows[id_] = Row(
            id_,
            ast.literal_eval(unit),
            DIRECTIONS[goal],
            float(target) if promised else None,
            None if high == "NO_LIMIT" else float(high),
            ast.literal_eval(name),
        )
    return rows


ROWS = read_table(TABLE.read_text())


def median(values: Iterable[float]) -> Figure:
    """Of what was measured again and again; the interval is that of order statistics, which asks
    for no distribution: the ranks n/2 -+ 1.96 sqrt(n)/2."""
    ordered = sorted(values)
    count = len(ordered)
    reach = 0.98 * math.sqrt(count)
    low = max(int(count / 2 - reach), 0)
    high = min(math.ceil(count / 2 + reach), count - 1)
    return Figure(statistics.median(ordered), ordered[low], ordered[high], count)


def number(value: float) -> str:
    """With as many digits as say something."""
    amount = abs(value)
    digits = 0 if amount >= 100 or value == 0 else 1 if amount >= 10 else 2 if amount >= 2 else 4
    return f"{value:.{digits}f}"


def missed_by(row: Row, figure: Figure) -> float:
    """0 where the goal is met, or where there is none."""
    if row.target is None:
        return 0.0
    if row.direction == "at least":
        return max(0.0, row.target - figure.value)
    miss = max(0.0, figure.value - row.target)
    if row.high is not None and figure.high is not None:
        miss = max(miss, figure.high - row.high)
    return miss


def row_text(row: Row, thing: str, figure: Figure) -> str:
    name = f"{thing}: {row.name}" if thing else row.name
    interval = ""
    if figure.low is not None and figure.high is not None:
        interval = f"[{number(figure.low)} to {number(figure.high)}]"
    missed = missed_by(row, figure)
    met = f"not met by {number(missed)}" if missed else "met" if row.promise else ""
    value = f"{number(figure.value):>10} {row.unit:<5}"
    return f"  {name:<58} {value} {interval:<22} {row.promise:<26} {met}".rstrip()


def tell(id_: str, figure: Figure | float, thing: str = "") -> None:
    """Tells a figure; `thing`: what it was taken of."""
    row = ROWS[id_]
    if not isinstance(figure, Figure):
        figure = Figure(figure)
    print(row_text(row, thing, figure), flush=True)
    path = os.environ.get("BENCH_FIGURES")
    if path is None:
        return
    line = {
        "figure": f"{id_}/{thing}" if thing else id_,
        "unit": row.unit,
        "value": figure.value,
        "low": figure.low,
        "high": figure.high,
        "target": row.target,
        "direction": row.direction,
        "repeats": figure.repeats,
    }
    with Path(path).open("a", encoding="utf-8") as to:
        to.write(json.dumps(line) + "\n")
