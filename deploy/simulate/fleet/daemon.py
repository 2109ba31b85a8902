"""The daemon, and what it costs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from .lab import POOL, PROJECT, SERVER, SUBNET, Lab

TICKS = os.sysconf("SC_CLK_TCK")


class Daemon:
    """Use as a context manager; it listens once entered."""

    def __init__(self, lab: Lab, folder: Path, program: Path, machines: int) -> None:
        self._lab, self._folder, self._program = lab, folder, program
        # Each machine's heartbeat is a TLS handshake, here on both sides.
        self.heartbeat = max(5, machines // 50)
        self.pid = 0

    def __enter__(self) -> Daemon:
        for name, files in (("agent", ("vmlinuz", "initrd")), ("boot", ("ipxe.efi", "snponly.efi", "undionly.kpxe"))):
            (self._folder / name).mkdir(exist_ok=True)
            for file in files:
                (self._folder / name / file).write_bytes(b"x" * 20_000)
        configuration = self._folder / "slipwayd.yaml"
        configuration.write_text(f"""\
address: {SERVER}
state_directory: {self._folder}/state
hardware_profiles: {PROJECT}/hardware-profiles
ipxe_scripts: {PROJECT}/ipxe-scripts
boot_files: {self._folder}/boot
agent_image: {self._folder}/agent
heartbeat_seconds: {self.heartbeat}
operation_limit: 3000
operation_limit_per_rack: 3000
dhcp:
  - {{subnet: {SUBNET}, mode: pool, pools: [{POOL}]}}
""")
        command = [str(self._program), "--config", str(configuration), "--log-level", "warning"]
        with (self._folder / "slipwayd.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*self._lab.enter(self._lab.server), *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.pid = self._process.pid
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection((SERVER, 8443), 1).close()
                return self
            except OSError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise SystemExit(f"slipwayd does not start:\n{self.log}") from None
                time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    @property
    def log(self) -> str:
        return (self._folder / "slipwayd.log").read_text(errors="replace")

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def cpu_seconds(self) -> float:
        # proc(5): utime and stime are the 14th and 15th, counted from the pid; the name may hold blanks.
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_mebibytes(self) -> float:
        return self._status("VmHWM") / 1024

    def resident_mebibytes(self) -> float:
        return self._status("VmRSS") / 1024

    def _status(self, key: str) -> int:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(key + ":"))

    def store_mebibytes(self) -> float:
        files = (self._folder / "state").rglob("*")
        return sum(file.stat().st_size for file in files if file.is_file() and "images" not in file.parts) / (1 << 20)
