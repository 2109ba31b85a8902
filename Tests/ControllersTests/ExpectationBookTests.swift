import Foundation
import Inventory
import Machines
import Testing

@testable import Controllers

/// Which changes of a machine make its announcement be looked at anew, and which do not: with ten thousand machines most are none of its business.
@Suite struct ExpectationBookTests {
    private static let now = Date(timeIntervalSince1970: 1_800_000_000)

    /// A machine that an announcement fits, with nothing due.
    private static func settled(_ phase: Phase) -> (ExpectationBook, Machine) {
        let book = ExpectationBook()
        var machine = Machine(
            id: "m-1", name: "machine-1", observed: .init(phase: phase, phaseSince: now), createdAt: now)
        machine.observed.hardware = LifecycleFlowTests.report()
        let serial = machine.observed.hardware?.identity.serial
        #expect(serial != nil)
        book.update(
            ExpectedMachine(
                MachineAnnouncement(name: "node-1", serial: serial), passwordSecret: nil, by: "anna", at: now),
            name: "node-1")
        book.update(machine, id: machine.id)
        #expect(Set(book.takeDue()) == [.machine("m-1"), .announcement("node-1")])
        return (book, machine)
    }

    @Test(
        "a phase tells something where renaming or acceptance hangs on it",
        arguments: [
            (Phase.discovered, Phase.available, false), (.available, .ready, true), (.ready, .draining, false),
            (.failed, .available, true), (.installing, .joining, false), (.ready, .retired, true),
            (.rejected, .discovered, true),
        ])
    func phases(from: Phase, to: Phase, isDue: Bool) {
        var (book, machine) = Self.settled(from)
        machine.observed.phase = to
        machine.observed.phaseSince += 60
        book.update(machine, id: machine.id)
        #expect(book.takeDue() == (isDue ? [.machine("m-1")] : []))
    }

    @Test("what it was matched with, its name and its hardware tell something to the announcement, too")
    func others() {
        var (book, machine) = Self.settled(.available)
        machine.observed.expected = .init(name: "node-1", since: Self.now)
        book.update(machine, id: machine.id)
        #expect(Set(book.takeDue()) == [.machine("m-1"), .announcement("node-1")])
        machine.observed.power = .on
        machine.observed.session = "s-1"
        book.update(machine, id: machine.id)
        #expect(book.takeDue() == [])
        machine.observed.hardware?.system.serial = "ANOTHER"
        book.update(machine, id: machine.id)
        #expect(Set(book.takeDue()) == [.machine("m-1"), .announcement("node-1")])
        book.update(nil as Machine?, id: machine.id)
        #expect(book.takeDue().contains(.machine("m-1")))
        #expect(book.isFree("machine-1", for: "m-2"))
    }
}
