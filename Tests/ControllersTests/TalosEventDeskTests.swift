import Foundation
import Logging
import Machines
import NetworkAddresses
import OperatingSystems
import Store
import TestSupport
import Testing

@testable import Controllers

/// Whose word counts for which machine, and for what.
@Suite(.timeLimit(.minutes(1))) struct TalosEventDeskTests {
    static let ticket = String(repeating: "7e", count: 32)
    static let running = TalosEvent.status(.running, ready: true, unmet: [])

    static func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    /// A machine that joins a cluster of Talos machines, and is listened to from these addresses.
    static func add(
        _ name: String, _ sources: [String]?, phase: Phase = .joining, to store: any RecordStore
    ) async throws {
        let now = Date()
        var machine = Machine(
            id: "m-\(name)", name: name, observed: .init(phase: phase, phaseSince: now), createdAt: now)
        machine.observed.operation = "o-\(name)"
        var operation = Machines.Operation(
            id: "o-\(name)", verb: .provision, machine: machine.id, requestedBy: "alice", steps: [.install, .join],
            assignment: .init(cluster: "prod", release: "talos-1"), createdAt: now)
        operation.state = .running
        if phase == .joining {
            operation.installedAt = now
            operation.completeStep(at: now)
        } else {
            operation.installer = .init(
                enteredAt: now,
                installs: InstalledSystem(
                    disk: .init(serial: "S", wwn: nil, path: "/dev/sda", sizeBytes: 1), entry: .reboot))
        }
        if let sources { operation.listen(to: try sources.map(address)) }
        let ticket = Credential.hash(name == "a" ? ticket : name)
        operation.ticket = ticket
        var known = InstallationTicket(
            id: ticket, machine: machine.id, operation: operation.id, expiresAt: .distantFuture)
        known.isListenedTo = true
        let (first, second, third) = (machine, operation, known)
        try await store.transaction { transaction in
            try transaction.put(first)
            try transaction.put(second)
            if sources != nil { try transaction.put(third) }
        }
    }

    static func with(_ body: (TalosEventDesk, MemoryStore) async throws -> Void) async throws {
        let store = MemoryStore()
        let desk = TalosEventDesk(
            store: store, wakeups: Wakeups(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            now: { Date() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do { try await desk.run() } catch is CancellationError {}
            }
            #expect(
                try await eventually {
                    try await desk.hear(.status(.booting, ready: true, unmet: []), from: try address("10.77.0.99"))
                })
            try await body(desk, store)
            group.cancelAll()
        }
    }

    static func operation(_ name: String, _ store: MemoryStore) async throws -> Machines.Operation {
        try #require(try await store.get(Machines.Operation.self, "o-\(name)"))
    }

    /// Says it until it counts: the desk follows the store.
    static func isHeard(
        _ desk: TalosEventDesk, _ event: TalosEvent, _ address: String, _ name: String, _ store: MemoryStore
    ) async throws -> Bool {
        try await eventually(within: .seconds(10)) {
            _ = try await desk.hear(event, from: try Self.address(address))
            return try await operation(name, store).systemWord != nil
        }
    }

    @Test("a machine's own address speaks for it: that it waits, and that it is ready")
    func heard() async throws {
        try await Self.with { desk, store in
            try await Self.add("a", ["10.77.0.21", "10.77.9.21"], to: store)
            try await Self.add("b", ["10.77.0.22"], to: store)
            let waits = TalosEvent.status(
                .running, ready: false, unmet: [.init(name: "nodeReady", reason: "not ready")])
            #expect(try await Self.isHeard(desk, waits, "10.77.0.21", "a", store))
            var operation = try await Self.operation("a", store)
            #expect(operation.joinedAt == nil && operation.firstBootAt != nil)
            #expect(operation.systemWord?.text == "Talos runs, and waits for nodeReady (not ready)")
            #expect(try await desk.hear(Self.running, from: try Self.address("10.77.9.21")))
            operation = try await Self.operation("a", store)
            #expect(operation.joinedAt != nil && operation.systemWord?.isFault == false)
            let other = try await Self.operation("b", store)
            #expect(other.joinedAt == nil && other.systemWord == nil)
            let events = try await store.list(Event.self).items
            #expect(
                events.map(\.message).sorted() == [
                    "Talos runs and is ready, by its own word",
                    "Talos runs, and waits for nodeReady (not ready), by its own word",
                ])
            #expect(events.allSatisfy { $0.machine == "m-a" && $0.actor == "talos" })
        }
    }

    @Test(
        "a stranger's address, one that two machines have, a machine of another system, and one that is ready are not heard"
    )
    func unheard() async throws {
        try await Self.with { desk, store in
            try await Self.add("a", ["10.77.0.21", "10.77.0.254"], to: store)
            try await Self.add("b", ["10.77.0.22", "10.77.0.254"], to: store)
            try await Self.add("debian", nil, to: store)
            try await Self.add("done", ["10.77.0.30"], phase: .ready, to: store)
            // The last: whoever knows of it knows of the others.
            try await Self.add("mark", ["10.77.0.9"], to: store)
            #expect(try await Self.isHeard(desk, Self.running, "10.77.0.9", "mark", store))
            for address in ["10.77.0.66", "10.77.0.254", "10.77.0.30", "fd00::1"] {
                #expect(try await desk.hear(Self.running, from: try Self.address(address)))
                #expect(try await desk.hear(.sequenceFailed("install", error: "x"), from: try Self.address(address)))
            }
            for name in ["a", "b", "debian", "done"] {
                let operation = try await Self.operation(name, store)
                #expect(operation.joinedAt == nil && operation.systemWord == nil && !operation.isFinished, "\(name)")
            }
        }
    }

    @Test("faults are told, and fail nothing; the next word takes their place")
    func faults() async throws {
        try await Self.with { desk, store in
            try await Self.add("a", ["10.77.0.21"], to: store)
            let fault = TalosEvent.sequenceFailed("install", error: "no space left")
            #expect(try await Self.isHeard(desk, fault, "10.77.0.21", "a", store))
            let operation = try await Self.operation("a", store)
            #expect(operation.state == .running && operation.systemWord?.isFault == true && operation.joinedAt == nil)
            #expect(try await store.get(Machine.self, "m-a")?.observed.phase == .joining)
            // The same again is no news.
            #expect(try await desk.hear(fault, from: try Self.address("10.77.0.21")))
            #expect(try await store.list(Event.self).items.count == 1)
            #expect(
                try await desk.hear(.status(.installing, ready: true, unmet: []), from: try Self.address("10.77.0.21")))
            #expect(try await Self.operation("a", store).systemWord?.text == "Talos installs itself")
        }
    }

    @Test("ready before its configuration was fetched is no end")
    func early() async throws {
        try await Self.with { desk, store in
            try await Self.add("a", ["10.77.0.21"], phase: .installing, to: store)
            #expect(try await Self.isHeard(desk, Self.running, "10.77.0.21", "a", store))
            let operation = try await Self.operation("a", store)
            #expect(operation.joinedAt == nil && operation.installedAt == nil && operation.installer != nil)
        }
    }

    @Test(
        "a ticket that was told in the open is void at once, and its attempt failed; a ticket that is none changes nothing"
    )
    func ticket() async throws {
        try await Self.with { desk, store in
            try await Self.add("a", ["10.77.0.21"], phase: .installing, to: store)
            func refused(_ ticket: String) -> TalosEvent {
                .configurationRefused("failed to download \"https://h/api/v1/installations/\(ticket)/files/config\"")
            }
            #expect(
                try await desk.hear(refused(String(repeating: "00", count: 32)), from: try Self.address("10.77.0.66")))
            #expect(try await Self.operation("a", store).installer != nil)
            #expect(try await desk.hear(refused(Self.ticket), from: try Self.address("10.77.0.66")))
            let operation = try await Self.operation("a", store)
            #expect(operation.installer == nil && operation.ticket == nil)
            #expect(operation.setback?.reason.contains("/installations/…/files/config") == true)
            #expect(try await store.get(InstallationTicket.self, Credential.hash(Self.ticket)) == nil)
            let events = try await store.list(Event.self).items
            #expect(events.count == 1 && !"\(events)".contains(Self.ticket))
        }
    }

    @Test("who tells something else each time is told to wait, and writes little")
    func flood() async throws {
        try await Self.with { desk, store in
            try await Self.add("a", ["10.77.0.21"], to: store)
            #expect(try await Self.isHeard(desk, .serviceFailed("a", message: "0"), "10.77.0.21", "a", store))
            var refused = 0
            for number in 1...300 {
                let isTaken = try await desk.hear(
                    .serviceFailed("a", message: "\(number)"), from: try Self.address("10.77.0.21"))
                refused += isTaken ? 0 : 1
            }
            #expect(refused > 200)
            #expect(try await store.list(Event.self).items.count <= 21)
            // Strangers are refused as well, some thousand later, and cost no write.
            var isRefused = false
            for _ in 0..<4000 where !isRefused {
                isRefused = try await !desk.hear(Self.running, from: try Self.address("10.77.0.66"))
            }
            #expect(isRefused)
        }
    }
}
