"""Shows the timeline: redrawn in place on a terminal, line by line in a pipe."""

from __future__ import annotations

import shutil
import sys
from typing import TextIO

from .timeline import Course, board, plain, said


class Display:
    def __init__(self, output: TextIO = sys.stdout) -> None:
        self._output = output
        self._live = output.isatty()
        self._drawn = 0
        self._told: set[tuple[str, str]] = set()

    def show(self, found: list[Course], now: float) -> None:
        if self._live:
            size = shutil.get_terminal_size()
            # A picture higher than the terminal could not be redrawn in place.
            lines = board(found, now, size.columns)[: max(1, size.lines - 1)]
            above = f"\x1b[{self._drawn}A" if self._drawn else ""
            self._output.write(above + "".join(f"\x1b[2K{line}\n" for line in lines) + "\x1b[J")
            self._drawn = len(lines)
        else:
            for line in plain(found, self._told):
                self._output.write(line + "\n")
            self._told |= said(found)
        self._output.flush()
