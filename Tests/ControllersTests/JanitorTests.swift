import FoundationEssentials
import Logging
import Machines
import Store
import Testing

@testable import Controllers

/// What is past its use goes; what somebody may ask for stays.
@Suite struct JanitorTests {
    private static let start = Date(timeIntervalSince1970: 1_800_000_000)

    private func operation(_ number: Int, of machine: String, _ state: Machines.Operation.State) -> Machines.Operation {
        var operation = Machines.Operation(
            // Their ids tell nothing of their age.
            id: "o-\(9 - number)", verb: .wipe, machine: machine, requestedBy: "alice", steps: [.wipe],
            createdAt: Self.start.addingTimeInterval(Double(number)))
        operation.state = state
        return operation
    }

    @Test("of a machine that is no more nothing is left")
    func machineGone() async throws {
        let store = MemoryStore()
        try await store.transaction { transaction in
            for id in ["m-1", "m-2"] {
                let machine = Machine(
                    id: id, name: "node-\(id)", observed: .init(phase: .available, phaseSince: Self.start),
                    createdAt: Self.start)
                if id == "m-1" { try transaction.put(machine) }
                try transaction.put(PhaseHistory(machine))
                let node = Node(
                    id: machine.name, cluster: "lab", machine: id, osRelease: "r", kernel: "6.1", addresses: [],
                    bootID: "b", credentialHash: "c", at: Self.start)
                try transaction.put(FormerNode(node))
            }
        }
        try await Janitor(store: store, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) { Self.start }
            .clean()
        #expect(try await store.list(PhaseHistory.self).items.map(\.id) == ["m-1"])
        #expect(try await store.list(FormerNode.self).items.map(\.machine) == ["m-1"])
    }

    @Test("old operations and events go, but for what runs and what was last done to a machine")
    func bounds() async throws {
        let store = MemoryStore()
        try await store.transaction { transaction in
            var machine = Machine(
                id: "m-1", name: "one", observed: .init(phase: .available, phaseSince: Self.start),
                createdAt: Self.start)
            machine.observed.operation = "o-9"
            try transaction.put(machine)
            try transaction.put(operation(0, of: "m-1", .succeeded))
            try transaction.put(operation(1, of: "m-2", .running))
            for number in 2..<8 { try transaction.put(operation(number, of: "m-3", .failed)) }
            for number in 0..<5 {
                let at = Self.start.addingTimeInterval(Double(number))
                try transaction.put(
                    Event.now(.machineChanged, machine: "m-1", actor: "alice", "\(number)", at: at))
            }
        }
        var janitor = Janitor(store: store, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) {
            Self.start.addingTimeInterval(10)
        }
        (janitor.eventLimit, janitor.operationLimit) = (3, 2)
        for _ in 1...2 {
            try await janitor.clean()
            let operations = try await store.list(Machines.Operation.self).items.map(\.id)
            #expect(operations == ["o-2", "o-3", "o-8", "o-9"])
            #expect(try await store.list(Event.self).items.map(\.message) == ["2", "3", "4"])
        }
    }
}
