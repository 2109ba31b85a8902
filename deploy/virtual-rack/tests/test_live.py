"""Real racks: namespaces, BMCs, QEMU. Needs root; skipped where a rack cannot be made."""

import os
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from virtual_rack import lifecycle, network, places, power
from virtual_rack.bmc import Credentials
from virtual_rack.errors import RackError
from virtual_rack.places import Places
from virtual_rack.processes import is_running, recorded, wait_until
from virtual_rack.shape import Rack, Server, plan
from virtual_rack.status import describe
from virtual_rack.supervisor import Status

NEEDED = ("qemu-system-x86_64", "ipmi_sim", "ipmitool", "ip", "setpriv")
POSSIBLE = os.geteuid() == 0 and all(map(shutil.which, NEEDED))

# mov dx, 0x604; mov ax, 0x2000; out dx, ax: ACPI's sleep state S5 on q35, what a guest's `poweroff` ends in.
POWER_OFF = bytes.fromhex("ba0406b80020ef f4".replace(" ", "")).ljust(510, b"\0") + b"\x55\xaa"


@unittest.skipUnless(POSSIBLE, f"needs root and {', '.join(NEEDED)}")
class Live(unittest.TestCase):
    def make(self, suffix: str, servers: int = 1, firmware: str = "bios") -> tuple[Rack, Credentials]:
        name = f"test-{os.getpid()}-{suffix}"
        folder = tempfile.mkdtemp(prefix="rack-test-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        rack = plan(
            name=name, state=f"{folder}/state", servers=servers, firmware=firmware, disk="sata", memory_mib=256,
            cpus=1, disk_gib=1, accelerator="tcg",
        )
        self.addCleanup(lifecycle.down, name, keep_state=False)
        return rack, lifecycle.up(rack)

    def ipmi(self, rack: Rack, server: Server, credentials: Credentials, *words: str) -> str:
        command = [*network.inside(rack), "ipmitool", "-I", "lanplus", "-C", "3", "-H", server.bmc_address]
        account = ["-U", credentials.user, "-P", credentials.password]
        return subprocess.run([*command, *account, *words], capture_output=True, text=True, check=True).stdout.strip()

    def status(self, rack: Rack, server: Server) -> Status:
        return Status.load(Places(rack).server(server))

    def test_a_bmc_really_starts_stops_and_resets_its_server(self) -> None:
        rack, account = self.make("bmc")
        server = rack.servers[0]
        files = Places(rack).server(server)

        def firmware_banners() -> int:
            return files.serial_log.read_text(errors="replace").count("SeaBIOS (version")

        self.assertEqual(self.ipmi(rack, server, account, "chassis", "power", "status"), "Chassis Power is off")

        self.ipmi(rack, server, account, "chassis", "power", "on")
        pid = self.status(rack, server).pid
        assert pid is not None
        self.assertTrue(is_running(pid))
        self.assertEqual(self.ipmi(rack, server, account, "chassis", "power", "status"), "Chassis Power is on")
        self.assertTrue(wait_until(lambda: firmware_banners() == 1, 20))

        self.ipmi(rack, server, account, "chassis", "power", "reset")
        self.assertTrue(wait_until(lambda: firmware_banners() == 2, 20))
        self.assertEqual(self.status(rack, server).firmware_starts, 2)
        self.assertEqual(self.status(rack, server).pid, pid)

        self.ipmi(rack, server, account, "chassis", "power", "cycle")
        self.assertTrue(wait_until(lambda: self.status(rack, server).pid not in (None, pid), 10))
        self.assertEqual(self.status(rack, server).firmware_starts, 1)
        self.assertEqual(self.status(rack, server).power_ons, 2)

        self.ipmi(rack, server, account, "chassis", "power", "off")
        self.assertFalse(power.is_on(files))
        self.ipmi(rack, server, account, "chassis", "power", "cycle")
        self.assertTrue(wait_until(lambda: power.is_on(files), 10), "cycle of a server that is off turns it on")

    def test_a_guest_that_powers_itself_off_is_off(self) -> None:
        rack, account = self.make("poweroff")
        server = rack.servers[0]
        files = Places(rack).server(server)
        with files.disk.open("r+b") as disk:
            disk.write(POWER_OFF)
        power.on(rack, server, "disk")
        self.assertTrue(wait_until(lambda: not power.is_on(files), 20))
        self.assertEqual(self.status(rack, server).stopped_by, "guest-shutdown")
        self.assertEqual(self.ipmi(rack, server, account, "chassis", "power", "status"), "Chassis Power is off")

    def test_racks_run_side_by_side_on_the_same_addresses(self) -> None:
        (first, first_account), (second, _) = self.make("left"), self.make("right")
        self.assertEqual(first.servers[0].bmc_address, second.servers[0].bmc_address)
        self.ipmi(first, first.servers[0], first_account, "chassis", "power", "on")
        self.assertEqual(describe(first)["servers"][0]["power"], "on")
        self.assertEqual(describe(second)["servers"][0]["power"], "off")
        with self.assertRaises(subprocess.CalledProcessError):
            self.ipmi(second, second.servers[0], first_account, "chassis", "power", "on")

    def test_down_leaves_nothing_and_can_be_repeated(self) -> None:
        rack, _ = self.make("down", servers=2, firmware="mixed")
        for server in rack.servers:
            power.on(rack, server)
        stranger = subprocess.Popen([*network.inside(rack), "sleep", "600"])
        lifecycle.down(rack.name, keep_state=False)
        self.assertEqual(stranger.wait(10), -signal.SIGTERM)
        self.assert_gone(rack)
        lifecycle.down(rack.name, keep_state=False)

    def test_down_cleans_up_after_a_crash(self) -> None:
        rack, _ = self.make("crash")
        server = rack.servers[0]
        files = Places(rack).server(server)
        power.on(rack, server)
        qemu = self.status(rack, server).pid
        assert qemu is not None
        for pid_file in (files.supervisor_pid, files.bmc_pid):
            pid = recorded(pid_file)
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
        self.assertTrue(wait_until(lambda: not is_running(qemu), 5), "QEMU goes with its supervisor")
        self.assertEqual(describe(rack)["servers"][0]["power"], "off")
        lifecycle.down(rack.name, keep_state=False)
        self.assert_gone(rack)

    def test_a_rack_in_use_is_not_replaced(self) -> None:
        rack, _ = self.make("busy")
        power.on(rack, rack.servers[0])
        with self.assertRaisesRegex(RackError, "is up"):
            lifecycle.up(rack)
        self.assertTrue(power.is_on(Places(rack).server(rack.servers[0])))

    def test_the_namespace_leads_nowhere(self) -> None:
        rack, _ = self.make("alone")
        routes = subprocess.run([*network.inside(rack), "ip", "route"], capture_output=True, text=True).stdout
        self.assertEqual({line.split()[0] for line in routes.splitlines()}, {"10.77.0.0/24"})

    def assert_gone(self, rack: Rack) -> None:
        self.assertFalse(Path("/run/netns", rack.namespace).exists())
        self.assertFalse(Path(rack.state).exists())
        self.assertFalse(places.runtime(rack.name).exists())
        words = rack.name.encode()
        left = [
            path.parent.name
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if int(path.parent.name) != os.getpid() and words in _read(path)
        ]
        self.assertEqual(left, [])


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
