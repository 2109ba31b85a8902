"""What the trail of events says about each server's way: a pure function from events to steps to lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

# The steps in the order in which a server takes them, each with what the events call its end.
STEPS = (
    "firmware",
    "DHCP",
    "TFTP",
    "iPXE",
    "kernel",
    "agent",
    "inventory",
    "profile",
    "install",
    "first boot",
    "registered",
)

_ENDS = {
    "boot.firmware": "firmware",
    "boot.dhcp": "DHCP",
    "boot.tftp": "TFTP",
    "boot.http": "TFTP",
    "boot.script": "iPXE",
    "boot.kernel": "kernel",
    "agent.session": "agent",
    "hardware.reported": "inventory",
    "profile.matched": "profile",
    "install.written": "install",
    "boot.system": "first boot",
    "node.registered": "registered",
}


@dataclass(frozen=True)
class Event:
    """One entry of the trail. `time` is in seconds since 1970."""

    time: float
    type: str
    machine: str | None = None
    mac: str | None = None
    message: str = ""
    details: dict[str, str] = field(default_factory=dict)
    id: str = ""

    @staticmethod
    def from_json(value: dict[str, Any]) -> Event:
        return Event(
            time=datetime.fromisoformat(value["time"].replace("Z", "+00:00")).timestamp(),
            type=value["type"],
            machine=value.get("machine"),
            mac=value["mac"].lower() if value.get("mac") else None,
            message=value.get("message", ""),
            details=value.get("details") or {},
            id=value["id"],
        )


@dataclass(frozen=True)
class Entrant:
    """A server at the start line. `powered_on_at` is none until its power is on."""

    name: str
    firmware: str
    mac: str
    powered_on_at: float | None


@dataclass(frozen=True)
class Reached:
    """A step that a server has behind it."""

    step: str
    time: float
    # Since power-on, and since the step before.
    elapsed: float
    took: float
    message: str


@dataclass
class Course:
    """How far one server is. Steps that its kind of boot does not have are missing from `reached`."""

    entrant: Entrant
    machine: str | None = None
    reached: list[Reached] = field(default_factory=list)
    # What it does now, in the daemon's words.
    activity: str = ""
    # The last thing that went wrong, and whether the daemon gave up over it.
    problem: str | None = None
    has_failed: bool = False

    @property
    def is_registered(self) -> bool:
        return any(reached.step == "registered" for reached in self.reached)

    def step(self, name: str) -> Reached | None:
        return next((reached for reached in self.reached if reached.step == name), None)

    @property
    def under_way(self) -> str | None:
        """The step that comes after the furthest one behind it."""
        if not self.reached:
            return STEPS[0]
        following = STEPS.index(self.reached[-1].step) + 1
        return STEPS[following] if following < len(STEPS) else None


def courses(entrants: Iterable[Entrant], events: Iterable[Event]) -> list[Course]:
    """Each server's course, from events in any order that keeps one server's events in theirs."""
    all_events = sorted(events, key=lambda event: event.time)
    # Boot services know MACs only, later events machine ids only; those that know both tie the two together.
    macs = {event.machine: event.mac for event in all_events if event.machine and event.mac}
    found = {entrant.mac.lower(): Course(entrant) for entrant in entrants}
    for event in all_events:
        mac = event.mac or macs.get(event.machine or "")
        if mac in found and found[mac].entrant.powered_on_at is not None:
            _note(found[mac], event)
    return list(found.values())


def _note(course: Course, event: Event) -> None:
    started = course.entrant.powered_on_at or 0
    # The daemon's clock is ours, but a packet can be stamped before the rack wrote down the power-on.
    if event.time < started - 1:
        return
    course.machine = event.machine or course.machine
    if event.type == "problem":
        course.problem = event.message
    elif event.type == "phase.changed" and event.details.get("to") == "failed":
        course.problem = event.details.get("reason", event.message)
        course.has_failed = True
    elif event.type in ("order.issued", "install.progress"):
        course.activity = event.message
    elif event.type in _ENDS:
        _reach(course, _ENDS[event.type], event)


def _reach(course: Course, step: str, event: Event) -> None:
    """Notes the end of a step, the first time only, and only forward: a later boot takes its steps again."""
    position = STEPS.index(step)
    if any(STEPS.index(reached.step) >= position for reached in course.reached):
        return
    started = course.entrant.powered_on_at or event.time
    before = course.reached[-1].time if course.reached else started
    course.reached.append(
        Reached(step, event.time, max(0.0, event.time - started), max(0.0, event.time - before), event.message)
    )
    course.activity = ""


def board(found: list[Course], now: float, width: int = 80) -> list[str]:
    """The live picture: a row per step, a column per server, in as many blocks as the width asks for."""
    label, cell = max(map(len, STEPS)) + 2, 24
    per_block = max(1, (width - label) // cell)
    lines: list[str] = []
    for start in range(0, len(found), per_block):
        block = found[start : start + per_block]
        if lines:
            lines.append("")
        lines.append(_row("", [f"{course.entrant.name} {course.entrant.firmware}" for course in block], label, cell))
        for step in STEPS:
            lines.append(_row(step, [_cell(course, step, now, cell - 2) for course in block], label, cell))
        for course in block:
            if course.problem:
                lines.append(f"{course.entrant.name}: {course.problem}"[:width])
    return [line[:width].rstrip() for line in lines]


def plain(found: list[Course], told: set[tuple[str, str]]) -> list[str]:
    """Lines for a pipe: each step of each server once. `told` names what was said before."""
    reached = [(course, step) for course in found for step in course.reached]
    lines = [
        f"{step.elapsed:7.1f} s  {course.entrant.name}  {step.step:<10}  {step.message}".rstrip()
        for course, step in sorted(reached, key=lambda pair: pair[1].time)
        if (course.entrant.name, step.step) not in told
    ]
    problems = [course for course in found if course.problem and (course.entrant.name, course.problem) not in told]
    return lines + [f"           {course.entrant.name}  problem     {course.problem}" for course in problems]


def said(found: list[Course]) -> set[tuple[str, str]]:
    """What `plain` need not say again after these courses."""
    steps = {(course.entrant.name, reached.step) for course in found for reached in course.reached}
    return steps | {(course.entrant.name, course.problem) for course in found if course.problem}


def summary(found: list[Course], firmware_starts: dict[str, int]) -> list[str]:
    """Seconds that each step took on each server, what they make together, and the firmware starts."""
    steps = [step for step in STEPS if any(course.step(step) for course in found)]
    rows = [["STEP", *(course.entrant.name for course in found)]]
    rows += [[step, *(_took(course.step(step)) for course in found)] for step in steps]
    rows.append(["together", *(f"{c.reached[-1].elapsed:.1f} s" if c.reached else "-" for c in found)])
    rows.append(["firmware starts", *(str(firmware_starts.get(c.entrant.name, 0)) for c in found)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))])
        for row in rows
    ]


def _row(first: str, cells: list[str], label: int, cell: int) -> str:
    return first.ljust(label) + "".join(text.ljust(cell) for text in cells)


def _cell(course: Course, step: str, now: float, width: int) -> str:
    reached = course.step(step)
    if reached:
        return f"{reached.elapsed:6.1f} s  +{reached.took:.1f}"
    started = course.entrant.powered_on_at
    if course.under_way != step or started is None or course.has_failed:
        # A step behind the furthest one that never came is one that this boot does not have.
        return "     -" if course.reached and STEPS.index(step) < STEPS.index(course.reached[-1].step) else ""
    since = course.reached[-1].time if course.reached else started
    return f"{max(0.0, now - started):6.1f} s  … {course.activity or f'{max(0.0, now - since):.0f} s'}"[:width]


def _took(reached: Reached | None) -> str:
    return f"{reached.took:.1f} s" if reached else "-"
