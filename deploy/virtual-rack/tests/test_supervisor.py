import tempfile
import unittest
from pathlib import Path
from unittest import mock

from tests.test_shape import DEFAULTS
from virtual_rack import supervisor
from virtual_rack.shape import plan
from virtual_rack.supervisor import Status, Supervisor


class FirmwareStarts(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        rack = plan(**{**DEFAULTS, "state": folder.name})
        Path(folder.name, "server1").mkdir()
        self.supervisor = Supervisor(rack, rack.servers[0])
        self.supervisor._powered_on(4711)

    def starts_after(self, *resets_at: float) -> int:
        for seconds in resets_at:
            with mock.patch.object(supervisor.time, "monotonic", return_value=1000 + seconds):
                self.supervisor._note({"event": "RESET", "data": {"guest": True, "reason": "guest-reset"}})
        return Status.load(self.supervisor.places).firmware_starts

    def test_power_on_is_one_and_each_reset_one_more(self) -> None:
        self.assertEqual(self.starts_after(), 1)
        self.assertEqual(self.starts_after(10, 20), 3)

    def test_seabios_resetting_itself_after_a_reset_is_the_same_start(self) -> None:
        self.assertEqual(self.starts_after(10, 10.08), 2)

    def test_other_events_are_no_start_and_a_shutdown_has_its_reason(self) -> None:
        self.assertIsNone(self.supervisor._note({"event": "RTC_CHANGE", "data": {"offset": 0}}))
        reason = self.supervisor._note({"event": "SHUTDOWN", "data": {"guest": True, "reason": "guest-shutdown"}})
        self.assertEqual(reason, "guest-shutdown")
        self.assertEqual(self.starts_after(), 1)

    def test_the_next_power_on_counts_anew_and_keeps_the_total(self) -> None:
        self.starts_after(10)
        self.supervisor._powered_off("guest-shutdown", 0)
        self.supervisor._powered_on(4712)
        status = Status.load(self.supervisor.places)
        self.assertEqual((status.firmware_starts, status.total_firmware_starts, status.power_ons), (1, 3, 2))
