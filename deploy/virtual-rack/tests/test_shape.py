import json
import unittest

from virtual_rack.errors import RackError
from virtual_rack.shape import Rack, plan

DEFAULTS = {
    "name": "demo",
    "state": "/tmp/x",
    "servers": 4,
    "firmware": "mixed",
    "disk": "mixed",
    "memory_mib": 768,
    "cpus": 1,
    "disk_gib": 4,
    "accelerator": "tcg",
}


class Planning(unittest.TestCase):
    def test_mixed_alternates_firmware_and_disks(self) -> None:
        servers = plan(**DEFAULTS).servers
        self.assertEqual([server.firmware for server in servers], ["uefi", "bios", "uefi", "bios"])
        self.assertEqual([server.disk for server in servers], ["virtio", "nvme", "sata", "virtio"])

    def test_the_same_rack_has_the_same_servers_and_another_has_others(self) -> None:
        first, again, other = plan(**DEFAULTS), plan(**DEFAULTS), plan(**{**DEFAULTS, "name": "other"})
        self.assertEqual(first, again)
        for fact in ("uuid", "mac", "serial", "disk_serial", "asset_tag"):
            values = {getattr(server, fact) for rack in (first, other) for server in rack.servers}
            self.assertEqual(len(values), 8, fact)

    def test_macs_are_unicast_and_globally_administered(self) -> None:
        # A locally administered address (bit 1 of the first octet) identifies no machine.
        for server in plan(**DEFAULTS).servers:
            self.assertEqual(int(server.mac[:2], 16) & 0b11, 0)

    def test_disk_serials_fit_virtio_and_names_fit_interfaces(self) -> None:
        for server in plan(**{**DEFAULTS, "servers": 99}).servers:
            self.assertLessEqual(len(server.disk_serial), 20)
            self.assertLessEqual(len(server.tap), 15)

    def test_bmcs_follow_the_service_network(self) -> None:
        rack = plan(**DEFAULTS, service="192.168.5.9/24")
        self.assertEqual([server.bmc_address for server in rack.servers[:2]], ["192.168.5.101", "192.168.5.102"])

    def test_survives_json(self) -> None:
        rack = plan(**DEFAULTS)
        self.assertEqual(Rack.from_json(json.loads(json.dumps(rack.to_json()))), rack)

    def test_refusals_name_the_option(self) -> None:
        for change, words in [
            ({"name": "Demo"}, "--name"),
            ({"name": "a,b"}, "--name"),
            ({"servers": 0}, "--servers"),
            ({"servers": 100}, "--servers"),
            ({"firmware": "coreboot"}, "--firmware"),
            ({"disk": "floppy"}, "--disk"),
            ({"service": "10.0.0.1/30"}, "--address"),
            ({"service": "10.0.0/24"}, "--address"),
            ({"bridge": "a bridge"}, "--bridge"),
        ]:
            with self.subTest(change), self.assertRaisesRegex(RackError, words):
                plan(**{**DEFAULTS, **change})
