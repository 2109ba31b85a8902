"""What goes wrong on purpose while a rack is reprovisioned, and when: as the operations' own state says, never by time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Step = Literal["wipe", "install"]
Kind = Literal["kill-daemon", "cut-power", "lose-power"]

_ERASES = ("erasing", "verifying")
_INSTALLS = ("writing", "flushing", "readingBack")
# Neither just begun nor about to end.
_MIDDLE = (0.1, 0.9)


@dataclass(frozen=True)
class Work:
    """How far one machine's operation is, as the API tells it. `fraction` is none where nobody can say."""

    machine: str
    step: str | None
    doing: str = ""
    fraction: float | None = None

    @staticmethod
    def from_json(operation: dict[str, Any]) -> Work:
        step = next((step["step"] for step in operation["steps"] if step["state"] == "current"), None)
        progress = operation.get("progress")
        machine = operation.get("machineName") or operation["machine"]
        if not progress:
            return Work(machine, step)
        doing = progress["step"]
        fraction = progress["bytes"] / progress["totalBytes"] if progress["totalBytes"] else None
        if doing == "erasing":
            # Not the mean: one that is done would hide one that has not begun.
            disk = next((disk for disk in progress.get("disks") or () if disk["step"] in _ERASES), None)
            doing, fraction = (disk["step"], disk.get("fraction")) if disk else ("", None)
        return Work(machine, step, doing, fraction)

    def is_amid(self, step: Step) -> bool:
        if self.step != step or self.doing not in (_ERASES if step == "wipe" else _INSTALLS):
            return False
        # A drive that tells nothing, and a flush, are in the middle for as long as they last.
        return self.fraction is None or _MIDDLE[0] <= self.fraction <= _MIDDLE[1]

    @property
    def words(self) -> str:
        return self.doing if self.fraction is None else f"{self.doing}, {self.fraction:.0%}"


@dataclass(frozen=True)
class Fault:
    """`cut-power` leaves the machine off; `lose-power` brings it back by itself, as mains do. All wait for `machine` to be in mid-`step`."""

    kind: Kind
    step: Step
    machine: str

    @property
    def words(self) -> str:
        return {
            "kill-daemon": f"kill -9 slipwayd while {self.machine} is in mid-{self.step}",
            "cut-power": f"power of {self.machine} cut in mid-{self.step}; it stays off",
            "lose-power": f"power of {self.machine} lost in mid-{self.step}; it is back at once, unasked",
        }[self.kind]


def planned(machines: Sequence[str]) -> list[Fault]:
    """One of each, on as many machines as there are; where one has two, the daemon's comes first, since it interrupts nothing."""
    count = len(machines)
    return [
        Fault("kill-daemon", "wipe", machines[-1]),
        Fault("cut-power", "wipe", machines[0]),
        Fault("kill-daemon", "install", machines[2] if count > 2 else machines[0]),
        Fault("lose-power", "install", machines[1 % count]),
    ]


def due(faults: Sequence[Fault], works: Sequence[Work]) -> tuple[Fault, Work] | None:
    """The first fault whose machine is where it waits for, and how far that is."""
    for fault in faults:
        for work in works:
            if work.machine == fault.machine and work.is_amid(fault.step):
                return fault, work
    return None
