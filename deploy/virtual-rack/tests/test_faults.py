import unittest
from typing import Any

from demonstration.faults import Fault, Work, due, planned


def operation(step: str, /, **progress: Any) -> dict[str, Any]:
    """As `slipway operation list --format json` shows one."""
    steps = ["drain", "wipe", "install", "join"]
    states = [(s, "done" if steps.index(s) < steps.index(step) else "current" if s == step else "ahead") for s in steps]
    shown = {"machine": "m-1", "machineName": "server1", "steps": [{"step": s, "state": state} for s, state in states]}
    return {**shown, "progress": {"bytes": 0, "totalBytes": 0, **progress}} if progress else shown


def erasing(*disks: dict[str, Any]) -> Work:
    return Work.from_json(operation("wipe", step="erasing", disks=[{"disk": "D", **disk} for disk in disks]))


class Works(unittest.TestCase):
    def test_a_wipe_is_in_its_middle_while_a_disk_is_erased(self) -> None:
        for disks, amid in (
            ([{"step": "erasing", "fraction": 0.5}], True),
            ([{"step": "marking", "fraction": 0.2}], False),
            ([{"step": "erasing"}], True),
            ([{"step": "erased"}, {"step": "verifying", "fraction": 0.3}], True),
            ([{"step": "erasing", "fraction": 0.01}], False),
            ([{"step": "erasing", "fraction": 0.99}], False),
            ([{"step": "waiting"}], False),
            ([{"step": "erased"}], False),
            ([], False),
        ):
            with self.subTest(disks=disks):
                self.assertEqual(erasing(*disks).is_amid("wipe"), amid)
                self.assertFalse(erasing(*disks).is_amid("install"))

    def test_an_install_is_in_its_middle_while_the_image_is_written_or_read_back(self) -> None:
        for progress, amid in (
            ({"step": "writing", "bytes": 50, "totalBytes": 100}, True),
            ({"step": "flushing"}, True),
            ({"step": "readingBack", "bytes": 1, "totalBytes": 2}, True),
            ({"step": "writing", "bytes": 1, "totalBytes": 100}, False),
            ({"step": "accepted"}, False),
            ({"step": "entering"}, False),
        ):
            with self.subTest(progress=progress):
                self.assertEqual(Work.from_json(operation("install", **progress)).is_amid("install"), amid)

    def test_progress_of_the_step_before_is_not_the_middle_of_this_one(self) -> None:
        late = Work.from_json(operation("install", step="erasing", disks=[{"disk": "D", "step": "erasing", "fraction": 0.5}]))
        self.assertFalse(late.is_amid("wipe") or late.is_amid("install"))

    def test_without_progress_nothing_is_in_its_middle(self) -> None:
        self.assertEqual(Work.from_json(operation("wipe")), Work("server1", "wipe"))
        self.assertFalse(Work.from_json(operation("wipe")).is_amid("wipe"))


class Faults(unittest.TestCase):
    def test_four_machines_have_a_fault_each_and_fewer_have_several(self) -> None:
        for count in (1, 2, 3, 4, 9):
            names = [f"server{number}" for number in range(1, count + 1)]
            found = planned(names)
            self.assertEqual({(fault.kind, fault.step) for fault in found}, {
                ("kill-daemon", "wipe"), ("cut-power", "wipe"), ("kill-daemon", "install"), ("lose-power", "install")})
            self.assertLessEqual({fault.machine for fault in found}, set(names))
            self.assertEqual(len({fault.machine for fault in found}), min(count, 4))

    def test_one_strikes_only_where_its_own_machine_is(self) -> None:
        cut, kill = Fault("cut-power", "wipe", "server1"), Fault("kill-daemon", "wipe", "server2")
        amid, before = Work("server2", "wipe", "erasing", 0.5), Work("server1", "wipe", "erasing", 0.0)
        self.assertEqual(due([cut, kill], [before, amid]), (kill, amid))
        self.assertIsNone(due([cut], [before, amid]))
        self.assertIsNone(due([], [amid]))
