"""A client of QEMU's machine protocol (docs/interop/qmp-spec): one JSON object per line, both ways."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import RackError


class QMP:
    """One session. Events that arrive while a command waits for its answer are kept for `events`."""

    def __init__(self, connection: socket.socket, timeout: float | None = 10.0) -> None:
        connection.settimeout(timeout)
        self._socket = connection
        self._lines = connection.makefile("rb")
        self._kept: list[dict[str, Any]] = []
        if "QMP" not in self._read():
            raise RackError("QEMU's control socket did not greet")
        self.execute("qmp_capabilities")

    @staticmethod
    def connect(path: Path) -> QMP:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(10)
            connection.connect(str(path))
            return QMP(connection)
        except OSError as error:
            connection.close()
            raise RackError(f"{path}: {error.strerror or error}: is the server on?") from error

    def __enter__(self) -> QMP:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def execute(self, command: str, **arguments: Any) -> Any:
        request = {"execute": command, **({"arguments": arguments} if arguments else {})}
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        while True:
            answer = self._read()
            if "event" in answer:
                self._kept.append(answer)
            elif "error" in answer:
                raise RackError(f"QEMU refused {command}: {answer['error'].get('desc')}")
            elif "return" in answer:
                return answer["return"]

    def events(self) -> Iterator[dict[str, Any]]:
        """Every event until QEMU closes the socket; waits without limit."""
        self._socket.settimeout(None)
        while True:
            while self._kept:
                yield self._kept.pop(0)
            try:
                message = self._read()
            except RackError:
                return
            if "event" in message:
                yield message

    def _read(self) -> dict[str, Any]:
        try:
            line = self._lines.readline()
        except OSError as error:
            raise RackError(f"QEMU's control socket: {error}") from error
        if not line:
            raise RackError("QEMU closed its control socket")
        message: dict[str, Any] = json.loads(line)
        return message
