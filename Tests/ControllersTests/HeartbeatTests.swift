import ClusterMembership
import Foundation
import Logging
import Machines
import Store
import Synchronization
import TestSupport
import Testing

/// Whose heartbeats stopped, by the registry's own clock.
@Suite struct HeartbeatTests {
    /// Counts what is asked of the store.
    final class CountingStore: RecordStore {
        let inner = MemoryStore()
        let reads = Mutex(0)
        var decoded: DecodedRecords { inner.decoded }

        func get(_ key: RecordKey) async throws -> Record? {
            reads.withLock { $0 += 1 }
            return inner.get(key)
        }
        func get(_ keys: [RecordKey]) async throws -> [Record] {
            reads.withLock { $0 += 1 }
            return inner.get(keys)
        }
        func list(kind: String, _ part: ListPart) async throws -> Snapshot {
            reads.withLock { $0 += 1 }
            return inner.list(kind: kind, part)
        }
        func commit(_ writes: [Write]) async throws -> Revision { try inner.commit(writes) }
        func watch(kind: String, from revision: Revision) async throws -> AsyncThrowingStream<Change, any Error> {
            inner.watch(kind: kind, from: revision)
        }
    }

    final class Clock: Sendable {
        let time = Mutex(HeartbeatTests.start)
        var now: Date { time.withLock { $0 } }
        func pass(_ seconds: Double) { time.withLock { $0 += seconds } }
    }

    private static let start = Date(timeIntervalSince1970: 1_800_000_000)
    private static let credential = String(repeating: "c", count: 40)
    private let store = CountingStore()
    private let clock = Clock()

    private func registry() -> StandaloneRegistry {
        let clock = clock
        return StandaloneRegistry(
            store: store, heartbeatSeconds: 5, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            now: { clock.now })
    }

    /// That of the node `node-0`.
    private static func machine(_ phase: Phase) -> Machine {
        var machine = Machine(
            id: "m-0", name: "node-0", observed: .init(phase: phase, phaseSince: start), createdAt: start)
        machine.observed.node = "node-0"
        return machine
    }

    private func addNodes(_ count: Int) async throws {
        let now = clock.now
        try await store.transaction { transaction in
            for number in 0..<count {
                try transaction.put(
                    Node(
                        id: "node-\(number)", cluster: "lab", machine: "m-\(number)", osRelease: "r", kernel: "6.1",
                        addresses: [], bootID: "b", credentialHash: Credential.hash(Self.credential), at: now))
            }
        }
    }

    private func ready() async throws -> Set<String> {
        Set(try await store.list(Node.self).items.filter(\.ready).map(\.id))
    }

    @Test("of nodes that are well nothing is read, however often is looked")
    func isCheap() async throws {
        try await addNodes(50)
        let registry = registry()
        try await registry.checkHeartbeats()
        let before = store.reads.withLock { $0 }
        for _ in 0..<10 { try await registry.checkHeartbeats() }
        #expect(store.reads.withLock { $0 } == before)
    }

    @Test("a node that falls silent is told, comes back, and is told again")
    func silence() async throws {
        try await addNodes(2)
        let registry = registry()
        for _ in 0..<5 {
            clock.pass(4)
            try await registry.heartbeat(node: "node-0", credential: Self.credential, bootID: "b", osRelease: "r")
            try await registry.checkHeartbeats()
        }
        // node-1 was never heard by this daemon, which gave it its patience from its own start on.
        #expect(try await ready() == ["node-0"])
        let told = try await store.get(Node.self, "node-1")
        #expect(told?.lastHeartbeat == Self.start)
        try await registry.heartbeat(node: "node-1", credential: Self.credential, bootID: "b", osRelease: "r")
        #expect(try await ready() == ["node-0", "node-1"])
        clock.pass(17)
        try await registry.checkHeartbeats()
        #expect(try await ready() == [])
    }

    @Test("what keeps a node that is to leave is told once, however often it is said")
    func leaving() async throws {
        try await addNodes(1)
        let registry = registry()
        let machine = Self.machine(.draining)
        func beat(_ words: String?) async throws -> Bool {
            try await registry.heartbeat(
                node: "node-0", credential: Self.credential, bootID: "b", osRelease: "r", leaving: words)
        }
        func told() async throws -> [String] {
            try await store.list(Event.self).items.filter { $0.type == .nodeLeaving }.map(\.message)
        }
        func departure() async throws -> String? {
            guard case .leaving(let words)? = try await registry.departure(of: machine) else { return nil }
            return words
        }
        // Nobody asked.
        let early = try await beat("release hook 10-a failed")
        #expect(!early)
        #expect(try await told() == [])
        try await registry.askToLeave(machine, by: "alice")
        #expect(try await departure()?.hasPrefix("it has not answered") == true)
        for _ in 0..<3 {
            let isToLeave = try await beat("release hook 10-a failed with status 3\u{1b}[2J")
            #expect(isToLeave)
        }
        let words = "release hook 10-a failed with status 3?[2J"
        #expect(try await told().filter { $0.hasSuffix(words) }.count == 1)
        #expect(try await departure()?.hasPrefix(words) == true)
        // Its next heartbeat says nothing of it: what was said still counts.
        let silent = try await beat(nil)
        #expect(silent)
        #expect(try await departure()?.hasPrefix(words) == true)
        try await registry.mayStay(machine)
        try await registry.askToLeave(machine, by: "alice")
        #expect(try await departure()?.hasPrefix("it has not answered") == true)
    }

    @Test("a node whose word that it left was not answered is asked again, and answered the same")
    func lostFarewell() async throws {
        try await addNodes(1)
        let registry = registry()
        let machine = Self.machine(.draining)
        try await store.transaction { try $0.put(machine) }
        try await registry.askToLeave(machine, by: "alice")
        for _ in 0..<2 {
            let isToLeave = try await registry.heartbeat(
                node: "node-0", credential: Self.credential, bootID: "b", osRelease: "r", leaving: "late")
            #expect(isToLeave)
            let restarts = try await registry.noteLeft(node: "node-0", credential: Self.credential)
            #expect(restarts)
            #expect(try await registry.departure(of: machine) == .left)
        }
        let told = try await store.list(Event.self).items.filter { $0.message.contains("has ended its work") }
        #expect(told.count == 1)
    }

    @Test("a system that left and runs minutes after the power command is noted, once for each command")
    func formerSystem() async throws {
        try await addNodes(1)
        let registry = registry()
        var machine = Self.machine(.wiping)
        func set(_ change: @Sendable (inout Machine) -> Void) async throws {
            let made = machine
            machine = try await store.transaction { transaction in
                var machine = try await transaction.get(Machine.self, made.id) ?? made
                change(&machine)
                try transaction.put(machine)
                return machine
            }
        }
        /// Refused in any case; what the store knows then.
        func beat(_ credential: String = Self.credential) async throws -> Date? {
            await #expect(throws: JoinRefusal.unknownNode) {
                try await registry.heartbeat(node: "node-0", credential: credential, bootID: "b", osRelease: "r")
            }
            return try await store.get(Machine.self, "m-0")?.observed.formerSystemAt
        }
        try await set { $0.observed.powerCommandAt = Self.start }
        try await registry.remove(machine)
        clock.pass(Lifecycle.restartPatience - 1)
        #expect(try await beat() == nil, "its last words may have been on the way")
        clock.pass(1)
        #expect(try await beat(String(repeating: "x", count: 40)) == nil, "somebody else's words")
        let first = clock.now
        #expect(try await beat() == first)
        clock.pass(1)
        #expect(try await beat() == first)
        try await set { [clock] in $0.observed.powerCommandAt = clock.now }
        clock.pass(Lifecycle.restartPatience)
        #expect(try await beat() == clock.now)
        let told = try await store.list(Event.self).items.filter { $0.type == .problem }
        #expect(told.map(\.machine) == ["m-0", "m-0"])
        // Nothing is under way that it could be in the way of.
        for phase in [Phase.available, .failed, .ready] {
            try await set { ($0.observed.phase, $0.observed.formerSystemAt) = (phase, nil) }
            #expect(try await beat() == nil, "\(phase)")
        }
    }

    @Test("a node that is gone is awaited no longer")
    func gone() async throws {
        try await addNodes(1)
        let registry = registry()
        try await registry.checkHeartbeats()
        try await store.transaction { $0.delete(Node.self, "node-0") }
        clock.pass(30)
        try await registry.checkHeartbeats()
        let before = store.reads.withLock { $0 }
        try await registry.checkHeartbeats()
        #expect(store.reads.withLock { $0 } == before)
    }
}
