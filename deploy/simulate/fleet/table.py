"""Rows with a bar each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Row:
    name: str
    work: str
    value: float
    unit: str
    # `most`: the bar is not to be passed; `least`: it is to be reached.
    kind: str
    bar: float

    @property
    def holds(self) -> bool:
        return self.value <= self.bar if self.kind == "most" else self.value >= self.bar


def print_table(rows: list[Row]) -> None:
    print(f"{'ROW':12} {'WORK':44} {'VALUE':>10} {'UNIT':14} BAR")
    for row in rows:
        bar = f"{'≤' if row.kind == 'most' else '≥'} {row.bar:g}"
        print(f"{row.name:12} {row.work:44} {row.value:10.4g} {row.unit:14} {bar:8} {'ok' if row.holds else 'below'}")
