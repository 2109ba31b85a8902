"""The demo's stage that takes nodes back to bare metal and makes them nodes again, with or without faults on the way."""

from __future__ import annotations

import sys
import threading
import time
from datetime import datetime
from typing import Any

from virtual_rack import power
from virtual_rack.errors import RackError
from virtual_rack.places import Places
from virtual_rack.shape import Rack
from virtual_rack.supervisor import Status

from . import faults
from .daemon import Daemon
from .faults import Fault, Work
from .slipway import Slipway

_LOOK_SECONDS = 0.3
_ORDER_WORDS = {"wipe": "erase", "install": "install"}


class Reprovision:
    def __init__(self, rack: Rack, slipway: Slipway, daemon: Daemon) -> None:
        self._rack, self._slipway, self._daemon = rack, slipway, daemon
        self._names = [server.name for server in rack.servers]
        self._said = ""
        self._error: RackError | None = None
        self._struck: list[Fault] = []

    def run(self, with_faults: bool) -> dict[str, Any] | None:
        """Figures; none when a server is no node again, or has no certificate that is valid."""
        print("\nReprovisioning every server by one command: drained, erased, proved, installed anew.", flush=True)
        self._began = time.time()
        firmware_starts = self._firmware_starts()
        command = threading.Thread(target=self._command, daemon=True)
        command.start()
        if with_faults:
            self._strike(command)
        command.join()
        took = time.time() - self._began
        print(self._said)
        if self._error is not None:
            raise self._error
        operations = self._operations()
        orders = self._orders(operations)
        for name in self._names:
            starts = self._firmware_starts()[name] - firmware_starts[name]
            print(
                f"{name}: a node again after {_took(operations[name]):.1f} s; orders to erase: {orders[name]['wipe']},"
                f" to install: {orders[name]['install']}; firmware starts: {starts}"
            )
        print(f"all {len(self._names)} are nodes again after {took:.1f} s")
        passed = self._is_certified() and (not with_faults or self._is_proved(orders))
        figures = {name: round(_took(operations[name]), 2) for name in self._names}
        return {"all": round(took, 2), "servers": figures} if passed else None

    def _command(self) -> None:
        """What an operator does; it outlives the daemon that it asked."""
        count = str(len(self._names))
        answer = self._names[0] if len(self._names) == 1 else count
        try:
            self._said = self._slipway.text(
                *("machine", "reprovision", *self._names, "--max", count, "--confirm", answer),
                *("--wait", "--timeout", "40m"),
            )
        except RackError as error:
            self._error = error

    def _strike(self, command: threading.Thread) -> None:
        pending = faults.planned(self._names)
        while pending and command.is_alive():
            found = faults.due(pending, self._works())
            if found is None:
                time.sleep(_LOOK_SECONDS)
                continue
            fault, work = found
            pending.remove(fault)
            self._carry_out(fault, work)
            self._struck.append(fault)
        for fault in pending:
            print(f"demo: never came to: {fault.words}", file=sys.stderr)

    def _carry_out(self, fault: Fault, work: Work) -> None:
        at = time.time()
        effect = ""
        if fault.kind == "kill-daemon":
            self._daemon.kill()
            self._daemon.start()
            effect = f": it answers again after {time.time() - at:.1f} s"
        else:
            server = next(server for server in self._rack.servers if server.name == fault.machine)
            power.cut(self._rack, server)
            if fault.kind == "lose-power":
                power.on(self._rack, server)
        print(f"{at - self._began:7.1f} s  {fault.words} ({work.words}){effect}", flush=True)

    def _works(self) -> list[Work]:
        return [Work.from_json(operation) for operation in self._slipway.operations("running")]

    def _operations(self) -> dict[str, dict[str, Any]]:
        """The newest of each server."""
        found: dict[str, dict[str, Any]] = {}
        for operation in self._slipway.operations():
            name = operation.get("machineName")
            if name in self._names and operation["verb"] == "reprovision" and name not in found:
                found[name] = operation
        return found

    def _orders(self, operations: dict[str, dict[str, Any]]) -> dict[str, dict[str, int]]:
        """How often each server was told to erase and to install."""
        issued = [event for event in self._slipway.events() if event.type == "order.issued"]
        return {
            name: {
                step: sum(
                    event.details.get("operation") == operation["id"] and f": {word} " in event.message for event in issued
                )
                for step, word in _ORDER_WORDS.items()
            }
            for name, operation in operations.items()
        }

    def _is_proved(self, orders: dict[str, dict[str, int]]) -> bool:
        """Every fault struck, and those that took a machine's power interrupted an order: it was given another one."""
        if len(self._struck) < len(faults.planned(self._names)):
            return False
        idle = [fault for fault in self._struck if fault.kind != "kill-daemon" and orders[fault.machine][fault.step] < 2]
        for fault in idle:
            print(f"demo: it interrupted nothing: {fault.words}", file=sys.stderr)
        return not idle

    def _firmware_starts(self) -> dict[str, int]:
        servers = self._rack.servers
        return {s.name: Status.load(Places(self._rack).server(s)).total_firmware_starts for s in servers}

    def _is_certified(self) -> bool:
        """Each server has one certificate, and the chain is right by the public key alone."""
        certificates = self._slipway.certificates()
        folder = Places(self._rack).state / "certificates"
        self._slipway.text("certificate", "export", "-o", str(folder))
        print("\n" + self._slipway.text("certificate", "verify", str(folder), "--key", str(folder / "certificate-key.pem")))
        if sorted(certificate["machineName"] for certificate in certificates) == sorted(self._names):
            return True
        print("demo: not every server has one wipe certificate", file=sys.stderr)
        return False


def _took(operation: dict[str, Any]) -> float:
    created, finished = (datetime.fromisoformat(operation[key].replace("Z", "+00:00")) for key in ("createdAt", "finishedAt"))
    return (finished - created).total_seconds()
