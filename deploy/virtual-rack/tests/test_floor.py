import gzip
import stat
import subprocess
import tempfile
import unittest
from pathlib import Path

from virtual_rack import cpio
from virtual_rack.cpio import Entry
from virtual_rack.errors import RackError
from virtual_rack.floor import INIT_PATTERN, Floor, table
from virtual_rack.floor_initramfs import load_order
from virtual_rack.serial_log import SerialLog


class Archives(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_what_is_written_is_read_back_with_its_folders(self) -> None:
        archive = self.folder / "a.cpio"
        module, init = Entry("lib/a/b.ko", stat.S_IFREG | 0o644, b"odd"), Entry("init", stat.S_IFREG | 0o755, b"")
        cpio.write(archive, [module, init])
        self.assertEqual([entry.name for entry in cpio.entries(archive)], ["lib", "lib/a", "lib/a/b.ko", "init"])
        self.assertEqual(next(e.data for e in cpio.entries(archive) if e.name == "lib/a/b.ko"), b"odd")

    def test_the_real_cpio_reads_it(self) -> None:
        archive = self.folder / "a.cpio"
        cpio.write(archive, [Entry("x/y", stat.S_IFREG | 0o644, b"12345")])
        listed = subprocess.run(["busybox", "cpio", "-t"], input=archive.read_bytes(), capture_output=True)
        self.assertEqual(listed.stdout.split(), [b"x", b"x/y"])

    def test_parts_plain_and_compressed_follow_each_other(self) -> None:
        archive = self.folder / "a.cpio"
        cpio.write(archive, [Entry("one", stat.S_IFREG | 0o644, b"1")])
        whole = archive.read_bytes() + b"\0" * 300 + gzip.compress(archive.read_bytes().replace(b"one\0", b"two\0"))
        archive.write_bytes(whole)
        self.assertEqual([entry.name for entry in cpio.entries(archive)], ["one", "two"])

    def test_a_damaged_archive_is_named(self) -> None:
        archive = self.folder / "a.cpio"
        for content in (b"070701" + b"0" * 20, b"no archive at all"):
            archive.write_bytes(content)
            with self.assertRaisesRegex(RackError, "a.cpio"):
                list(cpio.entries(archive))


class Modules(unittest.TestCase):
    def test_each_after_what_it_depends_on(self) -> None:
        def module(*dependencies: str) -> bytes:
            return b"\x7fELF\0license=GPL\0depends=" + ",".join(dependencies).encode() + b"\0name=x\0"

        found = {"nvme": module("nvme-core", "t10_pi"), "nvme_core": module("t10_pi"), "t10_pi": module()}
        found["fat"] = module()
        self.assertEqual(load_order(found, ("nvme", "built_in")), ["t10_pi", "nvme_core", "nvme"])


class Figures(unittest.TestCase):
    def test_the_floor_is_a_sum_only_when_all_parts_are_there(self) -> None:
        whole = Floor("server1", "bios", "virtio", netboot=10.0, stream=5.0, disk_start=4.0)
        self.assertEqual(whole.total, 19.0)
        self.assertIsNone(Floor("server1", "bios", "virtio", netboot=10.0, stream=5.0).total)
        self.assertIn("19.0 s", table([whole]))

    def test_the_kernel_announces_init(self) -> None:
        # Linux 6.1's own line, from a serial log.
        self.assertRegex("[    4.201] Run /init as init process", INIT_PATTERN)


class SerialLogs(unittest.TestCase):
    def test_follows_from_where_it_began_and_goes_on_behind_a_match(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "serial.log")
            path.write_text("ready from last time\n")
            log = SerialLog(path)
            self.assertIsNone(log.wait_for("ready", 0.05))
            with path.open("a") as file:
                file.write("ready\nsteady\n")
            self.assertIsNotNone(log.wait_for("ready", 1))
            self.assertIsNotNone(log.wait_for("steady", 1))
            self.assertIsNone(log.wait_for("ready", 0.05))

    def test_a_dead_server_is_not_waited_for(self) -> None:
        log = SerialLog(Path("/nonexistent"))
        self.assertIsNone(log.wait_for("ready", 60, alive=lambda: False))
