"""Starting, finding and ending the rack's processes, and none but those."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .errors import RackError


# Popen objects of detached processes: one that is collected while its process runs complains.
_started: list[subprocess.Popen[bytes]] = []


def start_detached(arguments: Sequence[str], log: Path, cwd: Path | None = None) -> int:
    """Starts a process that outlives this one and holds none of its descriptors; its output is added to `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=cwd, start_new_session=True
        )
    _started.append(process)
    return process.pid


def record(path: Path, pid: int) -> None:
    """Remembers a process by pid and start time: a pid alone may be another process's by the time we signal it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(f"{pid} {_start_time(pid) or 0}\n")
    os.replace(temporary, path)


def recorded(path: Path) -> int | None:
    """The pid in the file, if that very process still runs."""
    try:
        pid, start = (int(word) for word in path.read_text().split())
    except (OSError, ValueError):
        return None
    return pid if start and _start_time(pid) == start else None


def is_running(pid: int) -> bool:
    return _start_time(pid) is not None


def stop(path: Path, grace: float = 3.0) -> None:
    """Ends a recorded process: SIGTERM, after `grace` seconds SIGKILL. Forgets it."""
    pid = recorded(path)
    if pid is not None:
        _signal(pid, signal.SIGTERM)
        if not wait_until(lambda: recorded(path) is None, grace):
            _signal(pid, signal.SIGKILL)
            wait_until(lambda: recorded(path) is None, 5)
    path.unlink(missing_ok=True)


def kill(path: Path) -> None:
    """Ends a recorded process at once."""
    pid = recorded(path)
    if pid is not None:
        _signal(pid, signal.SIGKILL)


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition came true in time. Looks often at first, then every 50 ms."""
    deadline = time.monotonic() + seconds
    pause = 0.005
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
    return True


def run(arguments: Sequence[str]) -> str:
    """Runs a command to its end; what it says on stderr becomes the error."""
    try:
        result = subprocess.run(arguments, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise RackError(f"{arguments[0]} is not installed: see deploy/packages.txt") from error
    if result.returncode != 0:
        words = (result.stderr or result.stdout).strip() or f"exit status {result.returncode}"
        raise RackError(f"{' '.join(arguments)}: {words}")
    return result.stdout


def ancestors() -> set[int]:
    """This process and those that led to it."""
    found: set[int] = set()
    pid = os.getpid()
    while pid > 0 and pid not in found:
        found.add(pid)
        fields = _stat(pid)
        pid = int(fields[1]) if fields else 0
    return found


def _start_time(pid: int) -> int | None:
    """Clock ticks from boot to the start of a process; nil for one that is gone or a zombie."""
    fields = _stat(pid)
    return int(fields[19]) if fields and fields[0] not in "ZX" else None


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the third (state) on; the second may hold blanks and brackets."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
