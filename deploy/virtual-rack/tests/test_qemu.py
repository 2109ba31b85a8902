import unittest
from pathlib import Path

from tests.test_shape import DEFAULTS
from virtual_rack.places import ServerPlaces
from virtual_rack.qemu import StartFrom, command
from virtual_rack.shape import plan


def line(firmware: str, disk: str = "virtio", start: StartFrom = "network", folder: str = "/s", **more: object) -> str:
    rack = plan(**{**DEFAULTS, "firmware": firmware, "disk": disk, **more})
    server = rack.servers[0]
    return " ".join(command(rack, server, ServerPlaces(Path(folder), Path("/run/r"), server), start, watch=7))


class CommandLine(unittest.TestCase):
    def test_network_comes_before_disk_unless_asked(self) -> None:
        for disk in ("virtio", "nvme", "sata"):
            network = line("bios", disk)
            self.assertRegex(network, r"virtio-net-pci,\S*bootindex=1")
            self.assertRegex(network, r"drive=disk,\S*bootindex=2")
            self.assertRegex(line("bios", disk, "disk"), r"drive=disk,\S*bootindex=1")

    def test_bios_boots_by_the_option_rom_and_uefi_by_its_own_driver(self) -> None:
        self.assertNotIn("romfile=", line("bios"))
        self.assertNotIn("pflash", line("bios"))
        self.assertRegex(line("uefi"), r"romfile=(\s|$)")
        self.assertIn("OVMF_CODE_4M.fd", line("uefi"))

    def test_secure_boot_protects_its_variables(self) -> None:
        text = line("secureboot")
        self.assertIn("smm=on", text)
        self.assertIn("driver=cfi.pflash01,property=secure,value=on", text)
        self.assertIn("OVMF_CODE_4M.ms.fd", text)

    def test_starts_paused_and_reports_to_the_supervisor(self) -> None:
        text = line("uefi")
        self.assertIn(" -S ", text)
        self.assertIn("socket,id=watch,fd=7", text)

    def test_a_comma_in_the_state_directory_is_no_option(self) -> None:
        self.assertIn("file=/a,,b/OVMF_VARS.fd", line("uefi", folder="/a,b"))

    def test_kcs_can_be_left_out(self) -> None:
        self.assertIn("isa-ipmi-kcs", line("bios"))
        self.assertNotIn("ipmi", line("bios", kcs=False))
