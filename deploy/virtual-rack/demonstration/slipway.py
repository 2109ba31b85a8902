"""The `slipway` command line, as the demo uses it: the one place that knows its words."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from virtual_rack import network
from virtual_rack.errors import RackError
from virtual_rack.shape import Rack

from .timeline import Event

_AGAIN_SECONDS = 1.0


@dataclass(frozen=True)
class BMC:
    address: str
    user: str
    password_file: Path


class Slipway:
    """Calls the CLI in the rack's network. Machines are named by MAC address until they have names."""

    def __init__(self, rack: Rack, program: Path, server: str, token_file: Path, authority: Path) -> None:
        self._rack, self._program = rack, program
        self._server, self._token_file, self._authority = server, token_file, authority

    def add_release(self, file: Path) -> str:
        return str(self._json("os", "add", str(file))["name"])

    def add_cluster(self, name: str) -> None:
        self._json("cluster", "add", name, "--kind", "standalone")

    def accept(self, mac: str, name: str, bmc: BMC) -> None:
        self._json(
            *("machine", "accept", mac, "--name", name, "--bmc", bmc.address),
            *("--bmc-user", bmc.user, "--bmc-password-file", str(bmc.password_file)),
        )

    def provision(self, machine: str, cluster: str, release: str) -> None:
        self._json("machine", "provision", machine, "--cluster", cluster, "--os", release)

    def power(self, machine: str, action: str) -> None:
        self._json("machine", "power", action, machine)

    def machines(self) -> list[dict[str, Any]]:
        return list(self._json("machine", "list"))

    def nodes(self) -> list[dict[str, Any]]:
        return list(self._json("node", "list"))

    def operations(self, state: str | None = None) -> list[dict[str, Any]]:
        """The newest first."""
        return list(self._json("operation", "list", *(("--state", state) if state else ())))

    def events(self) -> list[Event]:
        return [Event.from_json(event) for event in self._json("event", "list")]

    def certificates(self) -> list[dict[str, Any]]:
        return list(self._json("certificate", "list"))

    def text(self, *words: str) -> str:
        """A command's output as people see it."""
        return self._run([*words]).rstrip()

    def watch(self) -> EventWatch:
        return EventWatch(self._command("event", "list", "--watch", "--format", "json"), self._environment())

    def by_hand(self, *words: str) -> str:
        """The same call as a line for a person's shell."""
        settings = f"SLIPWAY_SERVER={self._server} SLIPWAY_CA={self._authority}"
        token = f'SLIPWAY_TOKEN="$(cat {self._token_file})"'
        return " ".join([*network.inside(self._rack), "env", settings, token, str(self._program), *words])

    def _json(self, *words: str) -> Any:
        return json.loads(self._run([*words, "--format", "json"]) or "null")

    def _run(self, words: list[str]) -> str:
        result = subprocess.run(
            self._command(*words), env=self._environment(), capture_output=True, text=True, check=False
        )
        if result.returncode != 0:
            raise RackError(f"slipway {' '.join(words)}: {result.stderr.strip() or f'exit {result.returncode}'}")
        return result.stdout

    def _command(self, *words: str) -> list[str]:
        return [*network.inside(self._rack), str(self._program), *words]

    def _environment(self) -> dict[str, str]:
        # The token by the environment: other users can read a process's arguments.
        return {
            **os.environ,
            "SLIPWAY_SERVER": self._server,
            "SLIPWAY_TOKEN": self._token_file.read_text().strip(),
            "SLIPWAY_CA": str(self._authority),
        }


class EventWatch:
    """The trail as it grows: a JSON object per line. A watch that breaks, because the daemon restarts, begins anew."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._command, self._environment = command, environment
        self._process: subprocess.Popen[str] | None = None
        self._closed = threading.Event()
        # The last complaint, for when nothing comes any more.
        self.complaint = ""

    def events(self) -> Iterator[Event]:
        """Until `close`. A new watch tells everything from the start again: expect events twice."""
        while not self._closed.is_set():
            self._process = process = subprocess.Popen(
                self._command, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            for line in process.stdout or ():
                if line.strip():
                    yield Event.from_json(json.loads(line))
            self.complaint = process.communicate()[1].strip()
            self._closed.wait(_AGAIN_SECONDS)

    def close(self) -> None:
        self._closed.set()
        if self._process is not None:
            self._process.terminate()
