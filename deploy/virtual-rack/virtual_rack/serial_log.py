"""Waiting for words on a server's serial log, with the time at which they came."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

_LOOK_SECONDS = 0.02


class SerialLog:
    """Follows the log from where it ended when this was made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.stat().st_size if path.exists() else 0
        self._unread = b""

    def wait_for(self, pattern: str, seconds: float, alive: Callable[[], bool] = lambda: True) -> float | None:
        """When (seconds since 1970) the pattern came, to 20 ms; none if it did not in time, or the server went off.

        Later calls go on behind the match.
        """
        wanted = re.compile(pattern.encode())
        deadline = time.monotonic() + seconds
        while True:
            # Asked before reading: a dead server's last words are read still.
            running = alive()
            self._read()
            if match := wanted.search(self._unread):
                self._unread = self._unread[match.end() :]
                return time.time()
            if not running or time.monotonic() > deadline:
                return None
            time.sleep(_LOOK_SECONDS)

    def tail(self, lines: int = 5) -> str:
        text = self._path.read_bytes()[-4096:].decode(errors="replace") if self._path.exists() else ""
        printable = "".join(char for char in text if char.isprintable() or char == "\n")
        return "\n".join([line for line in printable.splitlines() if line.strip()][-lines:])

    def _read(self) -> None:
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                new = file.read()
        except FileNotFoundError:
            return
        self._offset += len(new)
        self._unread += new
