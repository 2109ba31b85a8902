import io
import os
import sys
import unittest
from unittest import mock

from demonstration import slipway
from demonstration.display import Display
from demonstration.slipway import EventWatch
from demonstration.timeline import Entrant, Event, board, courses, plain, said, summary

T = 1_000_000.0
UEFI = Entrant("server1", "uefi", "00:16:3e:77:00:01", T)
BIOS = Entrant("server2", "bios", "00:16:3e:77:00:02", T)


def boot(mac: str, machine: str, steps: dict[str, float]) -> list[Event]:
    """Events as the daemon writes them: boot services know the MAC, what comes after the session the machine."""
    events = []
    for kind, seconds in steps.items():
        knows_mac, knows_machine = kind.startswith(("boot.", "agent.")), not kind.startswith("boot.")
        events.append(Event(T + seconds, kind, machine if knows_machine else None, mac if knows_mac else None, kind))
    return events


WHOLE = {
    "boot.firmware": 5.0,
    "boot.dhcp": 9.0,
    "boot.tftp": 9.5,
    "boot.ipxe": 12.0,
    "boot.script": 14.0,
    "boot.kernel": 15.0,
    "agent.session": 20.0,
    "hardware.reported": 20.5,
    "profile.matched": 20.6,
    "order.issued": 22.0,
    "install.written": 40.0,
    "boot.system": 46.0,
    "node.registered": 48.0,
}
# iPXE in the BIOS's option ROM loads no boot program.
WITHOUT_TFTP = {kind: seconds for kind, seconds in WHOLE.items() if kind not in ("boot.tftp", "boot.ipxe")}


class Courses(unittest.TestCase):
    def test_each_step_has_its_time_since_power_on_and_since_the_step_before(self) -> None:
        course = courses([UEFI], boot(UEFI.mac, "m1", WHOLE))[0]
        self.assertTrue(course.is_registered)
        self.assertEqual([(r.step, r.elapsed) for r in course.reached][:4],
                         [("firmware", 5.0), ("DHCP", 9.0), ("TFTP", 9.5), ("iPXE", 14.0)])
        install = course.step("install")
        assert install is not None
        self.assertAlmostEqual(install.took, 19.4)
        self.assertAlmostEqual(sum(reached.took for reached in course.reached), 48.0)

    def test_two_servers_are_kept_apart_though_some_events_name_only_machine_or_mac(self) -> None:
        events = boot(UEFI.mac, "m1", WHOLE) + boot(BIOS.mac, "m2", {k: v + 1 for k, v in WITHOUT_TFTP.items()})
        first, second = courses([UEFI, BIOS], events)
        self.assertEqual((first.machine, second.machine), ("m1", "m2"))
        self.assertIsNone(second.step("TFTP"))
        self.assertEqual(second.reached[-1].elapsed, 49.0)

    def test_a_step_counts_once_and_a_later_boot_does_not_go_back(self) -> None:
        again = [Event(T + 60, "boot.firmware", None, UEFI.mac), Event(T + 61, "boot.dhcp", None, UEFI.mac)]
        course = courses([UEFI], boot(UEFI.mac, "m1", WHOLE) + again)[0]
        self.assertEqual(len(course.reached), 11)
        self.assertEqual(course.reached[-1].step, "registered")

    def test_events_from_before_the_power_on_and_of_strangers_do_not_count(self) -> None:
        before = Event(T - 30, "boot.firmware", None, UEFI.mac)
        stranger = Event(T + 3, "boot.firmware", None, "02:00:00:00:00:09")
        self.assertEqual(courses([UEFI], [before, stranger])[0].reached, [])

    def test_nothing_is_noted_before_the_power_is_on(self) -> None:
        waiting = Entrant("server3", "bios", UEFI.mac, None)
        self.assertEqual(courses([waiting], boot(UEFI.mac, "m1", WHOLE))[0].reached, [])

    def test_failure_and_problems_are_told_with_their_reason(self) -> None:
        failed = Event(T + 30, "phase.changed", "m1", None, "", {"to": "failed", "reason": "the checksum is wrong"})
        course = courses([UEFI], boot(UEFI.mac, "m1", {"agent.session": 20.0}) + [failed])[0]
        self.assertEqual((course.problem, course.has_failed), ("the checksum is wrong", True))

    def test_a_problem_is_shown_and_the_server_goes_on(self) -> None:
        problem = Event(T + 21, "problem", "m1", None, "kexec gave no sign of life: power cycle")
        course = courses([UEFI], [*boot(UEFI.mac, "m1", WHOLE), problem])[0]
        self.assertTrue(course.is_registered and not course.has_failed)
        self.assertIn("server1: kexec gave no sign", board([course], T + 50)[-1])

    def test_json_of_the_api_becomes_an_event(self) -> None:
        event = Event.from_json(
            {"id": "x", "time": "2026-01-31T12:00:00.250Z", "type": "boot.dhcp", "mac": "00:16:3E:77:00:01",
             "actor": "network-boot", "message": "address 10.77.0.50", "details": {"address": "10.77.0.50"}}
        )
        self.assertEqual((event.mac, event.machine), (UEFI.mac, None))
        self.assertAlmostEqual(event.time % 60, 0.25)


class Watching(unittest.TestCase):
    def test_a_watch_that_breaks_begins_anew_until_it_is_closed(self) -> None:
        line = '{"id": "a1", "time": "2026-01-31T12:00:00.250Z", "type": "boot.dhcp"}'
        watch = EventWatch([sys.executable, "-c", f"import sys; print({line!r}); sys.exit('gone')"], dict(os.environ))
        events = watch.events()
        with mock.patch.object(slipway, "_AGAIN_SECONDS", 0.0):
            self.assertEqual([next(events).id, next(events).id], ["a1", "a1"])
            self.assertEqual(watch.complaint, "gone")
            watch.close()
            self.assertEqual(list(events), [])


class Pictures(unittest.TestCase):
    def test_the_board_has_a_row_per_step_and_a_column_per_server(self) -> None:
        events = boot(UEFI.mac, "m1", {"boot.firmware": 5.0, "boot.dhcp": 9.0})
        lines = board(courses([UEFI, BIOS], events), T + 12, width=80)
        self.assertEqual(len(lines), 12)
        self.assertRegex(lines[0], r"server1 uefi +server2 bios")
        self.assertRegex(lines[1], r"^firmware +5\.0 s  \+5\.0 +12\.0 s  … 12 s")
        self.assertRegex(lines[2], r"^DHCP +9\.0 s  \+4\.0")
        self.assertRegex(lines[3], r"^TFTP +12\.0 s  … 3 s$")

    def test_a_step_that_this_boot_does_not_have_is_a_dash(self) -> None:
        lines = board(courses([BIOS], boot(BIOS.mac, "m2", WITHOUT_TFTP)), T + 50)
        self.assertRegex(next(line for line in lines if line.startswith("TFTP")), r"^TFTP +-$")

    def test_an_install_says_what_it_does(self) -> None:
        events = boot(UEFI.mac, "m1", {k: v for k, v in WHOLE.items() if v < 22})
        events.append(Event(T + 25, "install.progress", "m1", None, "writing"))
        lines = board(courses([UEFI], events), T + 30)
        self.assertRegex(next(line for line in lines if line.startswith("install")), r"30\.0 s  … writing")

    def test_no_line_is_wider_than_the_terminal_and_servers_wrap_into_blocks(self) -> None:
        many = [Entrant(f"server{n}", "uefi", f"00:16:3e:77:00:{n:02}", T) for n in range(1, 6)]
        lines = board(courses(many, []), T + 1, width=64)
        self.assertLessEqual(max(map(len, lines)), 64)
        self.assertEqual(sum("server" in line for line in lines), 3)

    def test_a_pipe_gets_each_step_once(self) -> None:
        some = courses([UEFI], boot(UEFI.mac, "m1", {"boot.firmware": 5.0}))
        more = courses([UEFI], boot(UEFI.mac, "m1", {"boot.firmware": 5.0, "boot.dhcp": 9.0}))
        self.assertEqual(plain(some, set()), ["    5.0 s  server1  firmware    boot.firmware"])
        self.assertEqual(plain(more, said(some)), ["    9.0 s  server1  DHCP        boot.dhcp"])

    def test_display_writes_no_escapes_into_a_pipe(self) -> None:
        output = io.StringIO()
        display = Display(output)
        for _ in range(3):
            display.show(courses([UEFI], boot(UEFI.mac, "m1", WHOLE)), T + 50)
        self.assertNotIn("\x1b", output.getvalue())
        self.assertEqual(len(output.getvalue().splitlines()), 11)

    def test_the_summary_adds_up_and_counts_firmware_starts(self) -> None:
        events = boot(UEFI.mac, "m1", WHOLE) + boot(BIOS.mac, "m2", WITHOUT_TFTP)
        lines = summary(courses([UEFI, BIOS], events), {"server1": 1, "server2": 2})
        self.assertRegex(lines[-2], r"^together +48\.0 s +48\.0 s$")
        self.assertRegex(lines[-1], r"^firmware starts +1 +2$")
