"""`rack console N`: this terminal on a server's serial port. Ctrl-] leaves it."""

from __future__ import annotations

import os
import select
import socket
import sys
import termios
import tty
from typing import TextIO

from .errors import RackError
from .places import Places
from .shape import Rack, Server

_LEAVE = b"\x1d"


def attach(rack: Rack, server: Server) -> None:
    path = Places(rack).server(server).console_socket
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as port:
        try:
            port.connect(str(path))
        except OSError as error:
            raise RackError(f"{server.name} has no console: it is off, or another `rack console` has it") from error
        if not sys.stdin.isatty():
            _copy(port)
            return
        print(f"Console of {server.name}; Ctrl-] leaves it.\r", file=sys.stderr)
        before = termios.tcgetattr(sys.stdin)
        try:
            tty.setraw(sys.stdin)
            _copy(port)
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
            print("\r", file=sys.stderr)


def _copy(port: socket.socket) -> None:
    sources: list[socket.socket | TextIO] = [port, sys.stdin]
    while True:
        for source in select.select(sources, [], [])[0]:
            data = port.recv(4096) if source is port else os.read(sys.stdin.fileno(), 1024)
            if source is port:
                if not data:
                    return
                os.write(sys.stdout.fileno(), data)
            elif _LEAVE in data:
                return
            elif data:
                port.sendall(data)
            else:
                # Standard input ended (a pipe): go on showing what the server says.
                sources.remove(sys.stdin)
