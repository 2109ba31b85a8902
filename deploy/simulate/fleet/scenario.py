"""The fleet's life, and the table of what it took."""

from __future__ import annotations

import ipaddress
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from .api import API, APIError
from .daemon import Daemon
from .lab import FIRST_BMC
from .machines import Machines
from .table import Row, print_table

STORM = 1000
# As the command line asks for them.
PAGE = 500
PER_RACK = 40
VERBS = ("provision", "reprovision", "release")
Machine = dict[str, Any]


class Scenario:
    def __init__(self, count: int, daemon: Daemon, machines: Machines, api: API, wait: float, until: str) -> None:
        self._count, self._daemon, self._machines, self._api = count, daemon, machines, api
        # Seconds that a stage may take until who is not there counts as stuck: three restarts and a heartbeat, and the fleet's own size.
        self._patience = 90 + 6 * daemon.heartbeat + 0.3 * count + wait
        self._verbs = VERBS[:VERBS.index(until) + 1]
        # Seconds of each page, and the stage in which it was read.
        self._pages: list[tuple[float, str]] = []
        self._newest: list[Machine] = []
        self._listed = 0
        self._now = "start"
        self._retried: dict[str, str] = {}
        self._stuck: dict[str, str] = {}
        # The operation that each machine was last asked for, by its id.
        self._operations: dict[str, str] = {}

    def play(self) -> int:
        self._api.add_release_and_cluster()
        lister = threading.Thread(target=self._list, daemon=True)
        lister.start()
        began, cpu = time.monotonic(), self._daemon.cpu_seconds()
        self._stage("announce", self._announce)
        storm = min(STORM, self._count)
        self._stage(f"boot storm of {storm}", lambda: self._boot(0, storm))
        if self._count > storm:
            self._stage("boot the others", lambda: [self._boot(at, STORM) for at in range(storm, self._count, STORM)])
        self._stage("accept and inspect", lambda: self._settle(lambda machine: machine["phase"] == "available", self._count))
        for verb, phase, body in (
            ("provision", "ready", {"cluster": "simulated", "release": "simulated-1", "eraseExistingData": True}),
            ("reprovision", "ready", {}),
            ("release", "available", {"policy": "recycle"}),
        ):
            if verb not in self._verbs:
                break
            self._stage(verb, lambda: self._ask(verb, phase, body))
        wall = time.monotonic() - began
        cpu = self._daemon.cpu_seconds() - cpu
        rows = self._api.json("GET", "/api/v1/reports/phases")["items"]
        self._print(wall, cpu, sum(row["count"] for row in rows), rows)
        return 1 if self._stuck or not self._daemon.is_running or self._machines.spent() else 0

    def _stage(self, name: str, work: Callable[[], Any]) -> None:
        self._now = name
        began = time.monotonic()
        work()
        took = time.monotonic() - began
        print(f"  {name:24} {took:8.1f} s   RSS {self._daemon.resident_mebibytes():6.0f} MiB   CPU "
              f"{self._daemon.cpu_seconds():7.1f} s   {self._words()}", flush=True)

    def _words(self) -> str:
        return ", ".join(f"{count} {phase}" for phase, count in Counter(each["phase"] for each in self._newest).most_common())

    def _announce(self) -> None:
        first = ipaddress.ip_address(FIRST_BMC)
        items = [{
            "name": f"sim-{number:05}", "serial": f"SIM{100_000 + number}",
            "location": {"site": "simulated", "rack": f"r{number // PER_RACK:03}"},
            "bmc": {"address": str(first + number), "kind": "ipmi", "username": "fleet"}, "bmcPassword": "not-a-default",
            "accept": True} for number in range(self._count)]
        for at in range(0, self._count, 500):
            self._api.json("POST", "/api/v1/expected-machines", {"items": items[at:at + 500]})

    def _boot(self, first: int, count: int) -> None:
        """Until each of them has had its script."""
        self._machines.press_power(first, count)
        end = time.monotonic() + self._patience
        while self._machines.scripts() < min(first + count, self._count) and time.monotonic() < end:
            time.sleep(0.05)

    def _ask(self, verb: str, phase: str, body: dict[str, Any]) -> None:
        self._operations = {}
        machines = [machine for machine in self._fresh() if machine["name"] not in self._stuck]

        def ask(machine: Machine) -> None:
            try:
                answer = self._api.json("POST", f"/api/v1/machines/{machine['id']}/{verb}", body)
                self._operations[machine["id"]] = answer["id"]
            except APIError as error:
                self._stuck[machine["name"]] = str(error)

        self._api.for_all(machines, ask)
        self._settle(lambda machine: machine["phase"] == phase and self._is_done(machine), self._count)

    def _is_done(self, machine: Machine) -> bool:
        operation = machine.get("operation") or {}
        return operation.get("id") == self._operations.get(machine["id"]) and operation.get("state") == "succeeded"

    def _settle(self, is_there: Callable[[Machine], bool], count: int) -> None:
        """Until each machine is there. One that failed is tried again, once in its life."""
        end = time.monotonic() + self._patience
        while True:
            machines = self._fresh()
            missing = [each for each in machines if not is_there(each) and each["name"] not in self._stuck]
            for machine in missing:
                if machine["phase"] == "failed":
                    self._retry(machine)
            if (not missing and len(machines) == count) or not self._daemon.is_running:
                return
            if time.monotonic() > end:
                for machine in missing:
                    self._stuck[machine["name"]] = f"{machine['phase']}: {machine.get('failure') or ''}"
                if len(machines) < count:
                    self._stuck["unseen"] = f"{count - len(machines)} machines never came"
                return

    def _retry(self, machine: Machine) -> None:
        name, operation = machine["name"], (machine.get("operation") or {})
        # The list may be older than the retry.
        if operation.get("state") != "failed" or operation.get("id") != self._operations.get(machine["id"]):
            return
        key = f"{name} {operation.get('verb')}"
        reason = operation.get("error") or machine.get("failure") or ""
        if key in self._retried:
            self._stuck[name] = f"failed twice: {reason}"
            return
        self._retried[key] = reason
        try:
            answer = self._api.json("POST", f"/api/v1/machines/{machine['id']}/retry", {})
            self._operations[machine["id"]] = answer["id"]
        except APIError as error:
            self._stuck[name] = str(error)

    def _list(self) -> None:
        """Lists all machines again and again, as a dashboard would: page by page."""
        while True:
            machines: list[Machine] = []
            spent, after = 0.0, ""
            while True:
                began = time.monotonic()
                content = self._api.call("GET", f"/api/v1/machines?limit={PAGE}" + (f"&after={after}" if after else ""))
                took = time.monotonic() - began
                self._pages.append((took, self._now))
                spent += took
                answer = json.loads(content)
                machines += answer["items"]
                after = answer.get("next")
                if not after:
                    break
            (self._newest, self._listed) = (machines, self._listed + 1)
            # A client that lists all the time would measure itself.
            time.sleep(min(60, max(1, 4 * spent)))

    def _fresh(self) -> list[Machine]:
        """A list that began after now."""
        wanted = self._listed + 2
        while self._listed < wanted and self._daemon.is_running:
            time.sleep(0.05)
        return self._newest

    def _print(self, wall: float, cpu: float, transitions: int, phases: list[dict[str, Any]]) -> None:
        first = self._machines.first
        storm = [number for number in range(min(STORM, self._count)) if number in first["script"]]
        last = max((first["script"][each] for each in storm), default=0) - min((first["boot"][each] for each in storm), default=0)
        pages = sorted(took for took, _ in self._pages)
        unexplained = [key for key in self._retried if not self._machines.dice.get(int(key[4:9]))]
        print_table([
            Row("stuck", "machines that are nowhere, or failed twice", len(self._stuck), "", "most", 0),
            Row("unexplained", "failures of machines whose dice never fell", len(unexplained), "", "most", 0),
            Row("lifecycle", "whole life of all machines", transitions / wall, "transitions/s", "least", 10),
            Row("memory", "peak RSS of the daemon", self._daemon.peak_mebibytes(), "MiB", "most", 1024),
            Row("boot storm", f"until the last script of {len(storm)}", last, "s", "most", 60),
            Row("page p50", f"of `machine list`, {min(PAGE, self._count)} machines", pages[len(pages) // 2], "s", "most", 1),
            Row("page p99", f"of {len(pages)} pages", pages[min(len(pages) - 1, int(len(pages) * 0.99))], "s", "most", 2),
            Row("cpu", "of the daemon, for one machine's life", cpu / self._count, "s", "most", 1),
            Row("store", "state directory, for one machine", self._daemon.store_mebibytes() * 1024 / self._count, "KiB", "most", 256),
        ])
        print(f"\n{transitions} transitions in {wall:.0f} s, {cpu:.0f} CPU seconds of the daemon; heartbeats each {self._daemon.heartbeat} s")
        for row in phases:
            print(f"  {row['phase']:12} {row['count']:6} stays, {row['failed']:4} failed, median {row.get('median') or 0:7.2f} s, "
                  f"p95 {row.get('p95') or 0:7.2f} s")
        print("slowest pages: " + ", ".join(f"{took:.2f} s in {stage}" for took, stage in sorted(self._pages, reverse=True)[:5]))
        print("dice and events: " + ", ".join(f"{name} {count}" for name, count in sorted(self._machines.counts.items())))
        for key, reason in list(self._retried.items())[:20]:
            print(f"  retried {key}: {reason} (dice: {', '.join(self._machines.dice.get(int(key[4:9]), [])) or 'none'})")
        if len(self._retried) > 20:
            print(f"  and {len(self._retried) - 20} more retries")
        for name, reason in list(self._stuck.items())[:40]:
            print(f"  STUCK {name}: {reason}")
        for trouble in self._machines.troubles[:10]:
            print(f"  trouble of machine {trouble}")
        for log in self._machines.spent():
            print(f"  a process of machines ended: {log}")
