"""The processes that play machines, and what they tell."""

from __future__ import annotations

import ipaddress
import subprocess
import threading
from collections import Counter
from pathlib import Path

from .lab import FIRST_BMC, PROJECT, SERVER, Lab

PER_PROCESS = 500
FIRST_RELAY = ipaddress.ip_address("10.64.0.1")


class Machines:
    """Use as a context manager. All are off at first."""

    def __init__(self, lab: Lab, folder: Path, count: int, seed: int, dice: str | None) -> None:
        self._lab, self._folder, self._count, self._seed, self._dice = lab, folder, count, seed, dice
        self._lock = threading.Lock()
        # First time of a boot's first packet and of a whole script, by machine.
        self.first: dict[str, dict[int, float]] = {"boot": {}, "script": {}}
        self.counts: Counter[str] = Counter()
        # What the dice did to a machine.
        self.dice: dict[int, list[str]] = {}
        self.troubles: list[str] = []

    def __enter__(self) -> Machines:
        program = PROJECT / ".cache/simulate/release/Fleet"
        self._processes = []
        for number, first in enumerate(range(0, self._count, PER_PROCESS)):
            words = [
                str(program), str(first), str(min(PER_PROCESS, self._count - first)), str(self._seed), SERVER,
                str(FIRST_RELAY + number), FIRST_BMC, str(9000 + number), *([self._dice] if self._dice else [])]
            with (self._folder / f"machines-{number}.log").open("wb") as log:
                process = subprocess.Popen(
                    [*self._lab.enter(self._lab.client), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=log, text=True)
            threading.Thread(target=self._follow, args=(process, number), daemon=True).start()
            self._processes.append(process)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def press_power(self, first: int, count: int) -> None:
        """Somebody turns these on, all at once."""
        for process in self._processes:
            process.stdin.write(f"on {first} {count}\n")
            process.stdin.flush()

    def scripts(self) -> int:
        """Machines that have had a script."""
        with self._lock:
            return len(self.first["script"])

    def spent(self) -> list[str]:
        """Processes that ended, which none may."""
        return [f"machines-{number}.log" for number, process in enumerate(self._processes) if process.poll() is not None]

    def _follow(self, process: subprocess.Popen[str], number: int) -> None:
        with (self._folder / f"events-{number}.log").open("w") as kept:
            for line in process.stdout:
                kept.write(line)
                parts = line.rstrip("\n").split(" ", 3)
                if len(parts) < 3:
                    continue
                time, event, machine = float(parts[0]), parts[1], int(parts[2])
                words = parts[3] if len(parts) > 3 else ""
                with self._lock:
                    self.counts[f"dice {words}" if event == "dice" else event] += 1
                    if event in self.first:
                        self.first[event].setdefault(machine, time)
                    elif event == "dice":
                        self.dice.setdefault(machine, []).append(words)
                    elif event == "trouble":
                        self.troubles.append(f"{machine}: {words}")
