"""The demo, from an empty machine to a rack of nodes."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from virtual_rack import address_server, bmc, lifecycle, network, places
from virtual_rack.bmc import Credentials
from virtual_rack.shape_options import add_shape_options, planned
from virtual_rack.errors import RackError
from virtual_rack.places import Places
from virtual_rack.serial_log import SerialLog
from virtual_rack.shape import Rack, Server
from virtual_rack.supervisor import Status

from . import floor_comparison
from .daemon import Daemon
from .display import Display
from .reprovision import Reprovision
from .slipway import BMC, EventWatch, Slipway
from .timeline import Course, Entrant, Event, courses, summary

CLUSTER = "demo"
_REDRAW_SECONDS = 0.25
# Where --kill strikes: the first time that an event of each type is seen. Not before: firmware that finds no server once
# gives up, and only a BMC, which nobody has named yet, could start it again.
_KILL_AT = ("boot.kernel", "agent.session", "order.issued", "install.progress", "install.written", "boot.system")


def main(arguments: list[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.faults and not options.reprovision:
        parser.error("--faults strikes while servers are reprovisioned: add --reprovision")
    try:
        return _run(options)
    except RackError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\ndemo: interrupted; the rack is still there: {_tear_down(options.name)}", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    add_shape_options(parser, name="demo")
    add = parser.add_argument
    build, cache = places.PROJECT_ROOT / ".build", places.PROJECT_ROOT / ".cache"
    add("--programs", type=Path, metavar="DIR", help=f"slipwayd and slipway (default: {build}/debug)")
    add("--agent-image", type=Path, default=cache / "agent-image", metavar="DIR", help="vmlinuz and initrd")
    add("--boot-files", type=Path, default=cache / "boot-files", metavar="DIR", help="what firmware boots")
    add("--reference-os", type=Path, default=cache / "reference-os", metavar="DIR", help="release.json and its image")
    add("--timeout", type=float, default=1200.0, metavar="SECONDS", help="until every server is a node")
    add("--dhcp", choices=("pool", "proxy"), default="pool", help="proxy: beside dnsmasq, which hands out the addresses")
    add("--local-disk", metavar="WAYS", help="ways to the disk in the servers' hardware profile, such as agent-kexec,exit-1")
    add("--kill", action="store_true", help="kill -9 slipwayd at every step from the kernel on; best with one server")
    add("--power-cycle", action="store_true", help="then power-cycle each through Slipway: they must come back")
    add("--reprovision", action="store_true", help="then erase and reinstall all of them by one command")
    add("--faults", action="store_true", help="meanwhile kill -9 slipwayd and take servers' power, in mid-wipe and mid-install")
    add("--floor", action="store_true", help="then measure the floor on the same servers and compare")
    add("--registered", default=floor_comparison.PATTERN, metavar="REGEX", help="serial line for the floor's part c")
    add("--figures", type=Path, metavar="FILE", help="write all times here as JSON")
    add("--down", action="store_true", help="take the rack down at the end, also after a failure")
    return parser


def _run(options: argparse.Namespace) -> int:
    programs = _programs(options.programs)
    release = options.reference_os / "release.json"
    for needed, maker in (
        (options.agent_image / "vmlinuz", "agent"),
        (options.agent_image / "initrd", "agent"),
        (options.boot_files / "shimx64.efi", "boot-files"),
        (release, "reference-os"),
    ):
        _require(needed, maker)
    if places.exists(options.name):
        print(f"Taking down the rack {options.name} of the last time.")
        lifecycle.down(options.name, keep_state=False)
    rack = planned(options)
    try:
        return Demo(rack, programs, options).run(release)
    finally:
        if options.down:
            lifecycle.down(rack.name, keep_state=False)


def _programs(wanted: Path | None) -> Path:
    # Never a release build that happens to be there: it may be of long ago, and of one program only.
    folder = wanted or places.PROJECT_ROOT / ".build/debug"
    if all((folder / name).exists() for name in ("slipwayd", "slipway")):
        return folder.resolve()
    raise RackError(f"no slipwayd and slipway in {folder}: run `make programs`, or name --programs")


def _require(file: Path, target: str) -> None:
    if not file.exists():
        raise RackError(f"{file} is missing: run `make {target}`")


class Demo:
    """One run. Everything it starts lives in the rack's namespace and ends with it."""

    def __init__(self, rack: Rack, programs: Path, options: argparse.Namespace) -> None:
        self._rack, self._options = rack, options
        self._daemon = Daemon(
            rack, programs / "slipwayd", options.agent_image, options.boot_files, options.dhcp,
            options.local_disk
        )
        self._slipway = Slipway(
            rack, programs / "slipway", self._daemon.server, self._daemon.token, self._daemon.authority
        )
        self._events: dict[str, Event] = {}
        self._errors: list[str] = []
        self._killed_at: list[str] = []
        self._powered_on: dict[int, float] = {}
        self._figures: dict[str, Any] = {}

    def run(self, release_file: Path) -> int:
        rack = self._rack
        _say(f"Rack {rack.name}: {len(rack.servers)} servers, {rack.accelerator.upper()}, namespace {rack.namespace}")
        credentials = lifecycle.up(rack)
        password_file = Places(rack).state / "bmc-password"
        password_file.touch(0o600)
        password_file.write_text(credentials.password)
        if self._options.dhcp == "proxy":
            _say("dnsmasq: handing out addresses")
            address_server.start(rack)
        _say("slipwayd: starting")
        self._daemon.start()
        _say("slipwayd: ready; adding the OS release and the cluster")
        release = self._slipway.add_release(release_file)
        self._slipway.add_cluster(CLUSTER)
        watch = self._slipway.watch()
        reader = threading.Thread(target=self._read, args=(watch,), daemon=True)
        reader.start()
        try:
            for server in rack.servers:
                _press_power(rack, server, credentials)
                self._powered_on[server.number] = Status.load(Places(rack).server(server)).powered_on_at or time.time()
            _say("All servers are on, by IPMI. From here nobody touches them but the person who accepts them.\n")
            registered = self._follow(release, password_file, credentials)
        finally:
            watch.close()
        if not registered:
            self._explain(watch.complaint)
            return 1
        self._wait_until_ready()
        self._report()
        passed = (
            (not self._options.power_cycle or self._power_cycle())
            and (not self._options.reprovision or self._reprovision())
            and self._compare_with_floor()
        )
        if self._options.figures:
            places.write_json(self._options.figures, self._figures, mode=0o644)
        if not self._options.down:
            self._how_to_look_around()
        return 0 if passed else 1

    def _read(self, watch: EventWatch) -> None:
        for event in watch.events():
            self._events.setdefault(event.id, event)

    def _courses(self) -> list[Course]:
        entrants = [
            Entrant(server.name, server.firmware, server.mac, self._powered_on.get(server.number))
            for server in self._rack.servers
        ]
        return courses(entrants, list(self._events.values()))

    def _follow(self, release: str, password_file: Path, credentials: Credentials) -> bool:
        """Shows the timeline and accepts each server once its hardware is known. Whether all became nodes."""
        display = Display()
        deadline = time.monotonic() + self._options.timeout
        accepting: dict[str, threading.Thread] = {}
        servers = {server.mac: server for server in self._rack.servers}
        while True:
            found = self._courses()
            display.show(found, time.time())
            for course in found:
                mac = course.entrant.mac
                if course.step("inventory") and mac not in accepting:
                    server = servers[mac]
                    end = BMC(server.bmc_address, credentials.user, password_file)
                    accepting[mac] = _in_background(self._accept, server, end, release)
            if all(course.is_registered for course in found):
                return True
            if self._options.kill:
                self._kill_daemon()
            stuck = any(course.has_failed for course in found) or self._errors or not self._daemon.is_running
            if stuck or time.monotonic() > deadline:
                return False
            time.sleep(_REDRAW_SECONDS)

    def _kill_daemon(self) -> None:
        happened = {event.type for event in self._events.values()}
        for milestone in _KILL_AT:
            if milestone in happened and milestone not in self._killed_at:
                self._killed_at.append(milestone)
                _say(f"          kill -9 slipwayd, after {milestone}")
                self._daemon.kill()
                self._daemon.start()
                return

    def _accept(self, server: Server, end: BMC, release: str) -> None:
        """What a person does: give leave, and say what the machine shall become."""
        for act in (
            lambda: self._slipway.accept(server.mac, server.name, end),
            lambda: self._slipway.provision(server.name, CLUSTER, release),
        ):
            # With --kill a call may meet no daemon: a person would try again.
            for attempts_left in range(9 if self._options.kill else 0, -1, -1):
                try:
                    act()
                    break
                except RackError as error:
                    if not attempts_left:
                        self._errors.append(str(error))
                        return
                    time.sleep(1)

    def _wait_until_ready(self) -> None:
        """The node is registered; the machine's phase follows within moments."""

        def all_ready() -> bool:
            return all(machine["phase"] == "ready" for machine in self._slipway.machines())

        if not _wait_for(all_ready, 60):
            raise RackError("every server registered, but a machine is not ready: slipway machine list tells why")

    def _firmware_starts(self) -> dict[str, int]:
        return {s.name: Status.load(Places(self._rack).server(s)).firmware_starts for s in self._rack.servers}

    def _report(self) -> None:
        starts, found = self._firmware_starts(), self._courses()
        print("\n" + self._slipway.text("machine", "list"))
        print("\n" + self._slipway.text("node", "list"))
        print("\nSeconds of each step:\n" + "\n".join(summary(found, starts)))
        self._figures["servers"] = {
            course.entrant.name: {
                "firmware": course.entrant.firmware,
                "firmwareStarts": starts[course.entrant.name],
                "steps": {reached.step: round(reached.took, 2) for reached in course.reached},
                "registered": round(course.reached[-1].elapsed, 2),
            }
            for course in found
        }

    def _power_cycle(self) -> bool:
        """Each server once through Slipway's power control; whether all come back as nodes, from their disks."""
        _say("\nPower-cycling every server through Slipway: firmware tries the network first and must end on the disk.")
        before = {node["name"]: node["bootID"] for node in self._slipway.nodes()}
        asked = self._network_boots()
        started = {}
        for server in self._rack.servers:
            print(self._slipway.text("machine", "power", "cycle", server.name))
            started[server.name] = time.time()
        back: dict[str, float] = {}

        def all_back() -> bool:
            for node in self._slipway.nodes():
                if node["ready"] and node["bootID"] != before.get(node["name"]):
                    back.setdefault(node["name"], time.time())
            return len(back) >= len(self._rack.servers)

        came = _wait_for(all_back, self._options.timeout)
        for name, at in sorted(back.items()):
            starts = self._firmware_starts().get(name, 0)
            print(f"{name}: a node again after {at - started.get(name, at):.1f} s, {starts} firmware start")
        print("\n" + self._slipway.text("node", "list"))
        self._figures["powerCycle"] = {name: round(at - started.get(name, at), 2) for name, at in back.items()}
        if not came:
            missing = sorted(set(before) - set(back))
            print(f"demo: did not come back: {', '.join(missing)}", file=sys.stderr)
        # The BMC's boot device goes before the firmware's own order.
        if self._options.local_disk == "bmc" and self._network_boots() != asked:
            print("demo: firmware asked the network, though its BMC was told to start from the disk", file=sys.stderr)
            return False
        return came

    def _reprovision(self) -> bool:
        """Whether all are nodes again, with a valid certificate each."""
        figures = Reprovision(self._rack, self._slipway, self._daemon).run(self._options.faults)
        self._wait_until_ready()
        for words in (("machine", "history", self._rack.servers[0].name), ("report", "phases"), ("certificate", "show", "1")):
            print("\n" + self._slipway.text(*words))
        self._figures["reprovision"] = figures
        return figures is not None

    def _network_boots(self) -> int:
        return self._slipway.text("event", "list").count("boot.firmware")

    def _compare_with_floor(self) -> bool:
        if not self._options.floor:
            return True
        _say("\nMeasuring the floor: the same servers, kernel, initrd and image with the plainest means.")
        agent, reference = self._options.agent_image, self._options.reference_os
        times = {course.entrant.name: course.reached[-1].elapsed for course in self._courses()}
        lines, figures = floor_comparison.measure(
            self._rack, agent / "vmlinuz", agent / "initrd", reference, self._options.registered, times
        )
        print("\n".join(lines))
        self._figures["floor"] = figures
        return True

    def _explain(self, complaint: str) -> None:
        """What is known of a run that did not make it, for whoever has to find out."""
        print("\ndemo: not every server became a node", file=sys.stderr)
        for error in self._errors:
            print(f"demo: {error}", file=sys.stderr)
        if not self._daemon.is_running:
            print(f"demo: slipwayd stopped:\n{self._daemon.last_words()}", file=sys.stderr)
        elif complaint:
            print(f"demo: the event watch said: {complaint}", file=sys.stderr)
        servers = {server.mac: server for server in self._rack.servers}
        for course in self._courses():
            if course.is_registered:
                continue
            log = SerialLog(Places(self._rack).server(servers[course.entrant.mac]).serial_log)
            print(f"demo: {course.entrant.name} stopped at {course.under_way}; its console:", file=sys.stderr)
            print(log.tail(12), file=sys.stderr)
        print(f"demo: slipwayd's log: {self._daemon.log}", file=sys.stderr)
        if not self._options.down:
            print(f"demo: the rack is still up for you to look at; {_tear_down(self._rack.name)} ends it", file=sys.stderr)

    def _how_to_look_around(self) -> None:
        rack = os.path.relpath(places.PACKAGE_PARENT / "rack")
        name = self._rack.name
        print(f"""
Look around:
  {self._slipway.by_hand("machine", "list")}
  {rack} status --name {name}
  {rack} console --name {name} 1            # Ctrl-] leaves
  {rack} exec --name {name} -- bash         # a shell in the rack's network
  less {self._daemon.log}
Tear down: {_tear_down(name)}""")


def _tear_down(name: str) -> str:
    return "make demo-down" if name == "demo" else f"{os.path.relpath(places.PACKAGE_PARENT / 'rack')} down --name {name}"


def _press_power(rack: Rack, server: Server, credentials: Credentials) -> None:
    """Power on by IPMI, as a person with ipmitool would: Slipway does not know the machine yet."""
    if shutil.which("ipmitool") is None:
        raise RackError("ipmitool is not installed: see deploy/packages.txt")
    command = [
        *(*network.inside(rack), "ipmitool", "-I", "lanplus", "-C", "3", "-H", server.bmc_address),
        *("-p", str(bmc.PORT), "-U", credentials.user, "-E", "chassis", "power", "on"),
    ]
    environment = {**os.environ, "IPMI_PASSWORD": credentials.password}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RackError(f"the BMC of {server.name} did not power it on: {(result.stderr or result.stdout).strip()}")


def _in_background(work: Callable[..., None], *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread


def _wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    """Asks the daemon every second: each question starts a process."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(1)
    return True


def _say(words: str) -> None:
    print(words, flush=True)
