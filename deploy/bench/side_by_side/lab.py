"""Two network namespaces joined by a veth pair: the server on one core, the load on another. Nothing touches the host's own network."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

SERVER = "10.99.0.1"
CLIENT = "10.99.0.2"


class BenchError(Exception):
    """A server that does not start, or a measurement without an answer."""


class Lab:
    """Use as a context manager."""

    def __init__(self, folder: Path, load: Path) -> None:
        self.folder, self._load = folder, load
        self._name = f"slipway-bench-{os.getpid()}"
        cores = sorted(os.sched_getaffinity(0))
        self.server_core, self.load_core = cores[0], cores[-1]

    @property
    def server(self) -> str:
        return f"{self._name}-s"

    @property
    def client(self) -> str:
        return f"{self._name}-c"

    def __enter__(self) -> Lab:
        for namespace in (self.server, self.client):
            _run("ip", "netns", "add", namespace)
        _run("ip", "-n", self.server, "link", "add", "bms", "type", "veth", "peer", "name", "bmc", "netns", self.client)
        for namespace, link, address in ((self.server, "bms", SERVER), (self.client, "bmc", CLIENT)):
            _run("ip", "-n", namespace, "address", "add", f"{address}/16", "dev", link)
            for name in (link, "lo"):
                _run("ip", "-n", namespace, "link", "set", name, "up")
        return self

    def __exit__(self, *_: object) -> None:
        for namespace in (self.client, self.server):
            subprocess.run(["ip", "netns", "delete", namespace], check=False)

    @contextlib.contextmanager
    def running(self, command: Sequence[str], probe: Sequence[str]) -> Iterator[int]:
        """A server on its core, once the probe has an answer. Gives its pid."""
        log = self.folder / "server.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["nsenter", f"--net=/run/netns/{self.server}", "taskset", "-c", str(self.server_core), *command],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
        try:
            answer = self._tool([*probe, "-1"])
            if " ok=1" not in f" {answer}":
                raise BenchError(f"{command[0]} does not answer:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.5)
            yield process.pid
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def measure(self, pid: int, tool: Sequence[str]) -> dict[str, float]:
        """One run of a load generator: its figures by name."""
        text = self._tool([*tool, "-p", str(pid)])
        figures: dict[str, float] = {}
        for word in text.split():
            name, _, value = word.partition("=")
            with contextlib.suppress(ValueError):
                figures[name] = float(value)
        if not figures:
            raise BenchError(f"{' '.join(tool)} measured nothing: {text}")
        return figures

    def _tool(self, tool: Sequence[str]) -> str:
        command = ["nsenter", f"--net=/run/netns/{self.client}", "taskset", "-c", str(self.load_core), self._load / tool[0]]
        result = subprocess.run([*command, *tool[1:]], capture_output=True, text=True, check=False)
        return result.stdout.strip() or result.stderr.strip()


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
