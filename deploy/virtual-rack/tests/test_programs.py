"""The demo's edges to other programs: words, files and tables that they read and write."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from demonstration.daemon import configuration
from tests.test_shape import DEFAULTS
from virtual_rack import processes
from virtual_rack.accelerator import runs_boot_sector
from virtual_rack.bmc import Credentials, lan_configuration
from virtual_rack.shape import plan


class Configurations(unittest.TestCase):
    def test_the_daemon_gives_addresses_on_the_bridge(self) -> None:
        text = configuration(plan(**DEFAULTS), Path("/s/slipwayd"), Path("/agent"), Path("/boot"), "pool")
        for line in ("address: 10.77.0.1", "  - interface: br0", "    mode: pool", "    subnet: 10.77.0.0/24",
                     "    pools: [10.77.0.50-10.77.0.99]", "agent_image: /agent", "state_directory: /s/slipwayd"):
            self.assertIn(line, text.splitlines())

    def test_a_bmc_has_one_account_and_no_anonymous_one(self) -> None:
        rack = plan(**DEFAULTS)
        text = lan_configuration(rack, rack.servers[0], Credentials("me", "secret"))
        self.assertIn('user 1 false "" ""', text)
        self.assertIn('user 2 true "me" "secret" admin', text)
        self.assertIn("addr 10.77.0.101 623", text)
        self.assertNotIn(" none\n", text.replace('user 1 false "" "" user 1 none\n', ""))

    def test_credentials_are_for_the_owner_only(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "credentials.json")
            made = Credentials.create(path)
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)
            self.assertEqual(Credentials.load(path), made)
            # ipmi_sim cuts both to 16 bytes.
            self.assertLessEqual(max(len(made.user), len(made.password)), 16)


class Processes(unittest.TestCase):
    def test_a_recycled_pid_is_not_ours(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "pid")
            path.write_text(f"{os.getpid()} 1\n")
            self.assertIsNone(processes.recorded(path))
            processes.record(path, os.getpid())
            self.assertEqual(processes.recorded(path), os.getpid())

    def test_a_process_that_ignores_sigterm_is_killed(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "pid")
            stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)"
            process = subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE)
            assert process.stdout is not None
            process.stdout.readline()
            processes.record(path, process.pid)
            processes.stop(path, grace=0.1)
            self.assertEqual(process.wait(5), -9)
            process.stdout.close()
            self.assertFalse(path.exists())


class Acceleration(unittest.TestCase):
    def test_the_probe_passes_where_code_really_runs(self) -> None:
        # TCG always works; the same boot sector decides about KVM.
        self.assertTrue(runs_boot_sector("tcg", patience=30))
