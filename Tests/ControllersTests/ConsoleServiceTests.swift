import Crypto
import FoundationEssentials
import Inventory
import Logging
import Machines
import Store
import Synchronization
import TestSupport
import Testing

@testable import Controllers

/// Consoles: one for all who look, recorded while a machine boots.
@Suite(.timeLimit(.minutes(1))) struct ConsoleServiceTests {
    /// A BMC whose console is what a test says; it has room for one.
    final class Controller: BMCController, BMCProber {
        struct Console: SerialConsole {
            let output: AsyncThrowingStream<[UInt8], any Error>
            let typed: @Sendable ([UInt8]) -> Void
            func send(_ bytes: [UInt8]) async throws { typed(bytes) }
            func sendBreak() async throws { typed(Array("<break>".utf8)) }
        }

        struct State {
            var opened = 0
            var open = 0
            var line: AsyncThrowingStream<[UInt8], any Error>.Continuation?
            var typed: [UInt8] = []
            var refusal: BMCError?
        }

        let state = Mutex(State())

        func withConsole(
            of bmc: BMCAccess, takingOver: Bool, _ body: @Sendable (any SerialConsole) async throws -> Void
        ) async throws {
            let (stream, continuation) = AsyncThrowingStream.makeStream(of: [UInt8].self)
            try state.withLock { state in
                if let refusal = state.refusal { throw refusal }
                state.opened += 1
                state.open += 1
                state.line = continuation
            }
            defer { state.withLock { $0.open -= 1 } }
            try await body(
                Console(output: stream, typed: { bytes in self.state.withLock { $0.typed += bytes } }))
        }

        func probe(
            _ address: String, ports: [BMCKind: Int], credentials: BMCCredentials?, verification: BMCVerification
        ) async -> BMCProbe { BMCProbe(address: address, findings: []) }

        func print(_ text: String) { state.withLock { _ = $0.line?.yield(Array(text.utf8)) } }
        func lose() {
            state.withLock { state in
                state.line?.finish(
                    throwing: BMCError(address: "10.0.0.9", doing: "serial console", reason: .silent, "no answer"))
            }
        }
        var isOpen: Bool { state.withLock { $0.open > 0 } }
        var opened: Int { state.withLock { $0.opened } }
        var typed: String { state.withLock { String(decoding: $0.typed, as: UTF8.self) } }
    }

    /// What two viewers saw.
    final class Seen: Sendable { let texts = Mutex<[String]>(["", ""]) }

    /// Runs the service over one machine with a BMC.
    private func with(
        records: Bool = true, mostRecorded: Int = 10,
        _ body: (ConsoleHub, ConsoleService, Controller, ManualTime) async throws -> Void
    ) async throws {
        let (store, controller, time) = (MemoryStore(), Controller(), ManualTime())
        let keys = LifecycleFlowTests.Keys()
        let installation = Installation(
            apiURL: "https://10.77.0.1:8443", bootURL: "http://10.77.0.1:8080", certificateAuthority: "PEM\n",
            certificateAuthorityPin: "sha256:" + String(repeating: "a", count: 64), orderKey: keys.order,
            certificateKey: .init(),
            secretKey: keys.secret, admission: .init(unknown: .discover), pollSeconds: 60)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let now = { @Sendable in time.now }
        let bmcs = BMCService(
            store: store, installation: installation, profiles: ProfileBook([]), controller: controller,
            prober: controller, logger: logger, now: now)
        try await store.transaction { transaction in
            for number in 1...2 {
                try transaction.put(
                    Machine(
                        id: "m-\(number)", name: "node-\(number)",
                        observed: .init(phase: .available, phaseSince: time.now), createdAt: time.now))
            }
        }
        for number in 1...2 {
            var endpoint = Machine.BMCEndpoint(address: "10.0.0.\(8 + number)", kind: .ipmi, username: "root")
            endpoint.recordsConsole = records ? nil : false
            _ = try await bmcs.set(BMCSetting(endpoint, password: "secret"), of: "m-\(number)", by: "alice")
        }
        let hub = ConsoleHub(mostRecorded: mostRecorded)
        let service = ConsoleService(store: store, bmcs: bmcs, hub: hub, logger: logger, now: now)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            defer { group.cancelAll() }
            try await body(hub, service, controller, time)
        }
    }

    @Test("two look at one console, type into it, and it is closed when the last one leaves")
    func viewers() async throws {
        try await with { hub, _, controller, _ in
            let seen = Seen()
            let watchers = (0..<2).map { index in
                let stream = hub.attach("m-1")
                return Task {
                    for await output in stream {
                        guard case .bytes(let bytes) = output else { continue }
                        seen.texts.withLock { $0[index] += String(decoding: bytes, as: UTF8.self) }
                    }
                }
            }
            try #require(await eventually { controller.isOpen })
            controller.print("login: ")
            #expect(await eventually { seen.texts.withLock { $0 == ["login: ", "login: "] } })
            #expect(await eventually { hub.send(Array("root\r".utf8), to: "m-1") })
            #expect(hub.sendBreak(to: "m-1"))
            #expect(await eventually { controller.typed == "root\r<break>" })
            #expect(controller.opened == 1)
            for watcher in watchers { watcher.cancel() }
            #expect(await eventually { !controller.isOpen })
            #expect(await eventually { !hub.send([13], to: "m-1") })
        }
    }

    @Test(
        "each attempt to boot is recorded by itself, until it shows no sign for a while; a lost console is opened again"
    )
    func recordings() async throws {
        try await with { hub, service, controller, time in
            hub.record("m-1", at: time.now)
            try #require(await eventually { controller.isOpen })
            controller.print("POST\r\n")
            #expect(await eventually { hub.recording(of: "m-1")?.screen == ["POST"] })
            hub.noteBoot("m-1", isFirst: true, at: time.now)
            controller.print("first attempt dies here\r\n")
            #expect(await eventually { hub.recording(of: "m-1")?.screen.count == 2 })
            controller.lose()
            #expect(await eventually { controller.opened == 2 })
            hub.noteBoot("m-1", isFirst: true, at: time.now)
            controller.print("second\r\n")
            #expect(await eventually { hub.recording(of: "m-1")?.screen == ["second"] })
            hub.noteBoot("m-1", isFirst: false, at: time.now)
            time.advance(by: ConsoleHub.patience + 1)
            #expect(await eventually { !controller.isOpen })
            var kept: [ConsoleRecording] = []
            #expect(
                await eventually {
                    kept = (try? await service.recordings(of: "m-1")) ?? []
                    return kept.count == 2
                })
            #expect(kept.map(\.screen) == [["POST", "first attempt dies here"], ["second"]])
            #expect(kept.allSatisfy { $0.endedAt != nil })
        }
    }

    @Test("five recordings are kept, each of a bounded size")
    func bounded() async throws {
        try await with { hub, service, controller, time in
            for number in 0..<8 {
                hub.record("m-1", at: time.now)
                try #require(await eventually { controller.isOpen })
                controller.print("attempt \(number)\r\n" + String(repeating: "x", count: 10_000))
                #expect(await eventually { hub.recording(of: "m-1")?.tail.count ?? 0 > 10_000 })
            }
            for _ in 0..<20 { controller.print(String(repeating: "y", count: 10_000)) }
            #expect(
                await eventually {
                    hub.recording(of: "m-1").map { $0.tail.count + $0.dropped > 210_000 } ?? false
                })
            #expect(hub.recording(of: "m-1")?.tail.count ?? .max <= ConsoleRecording.capacity)
            time.advance(by: ConsoleHub.patience + 1)
            var kept: [ConsoleRecording] = []
            #expect(
                await eventually {
                    kept = (try? await service.recordings(of: "m-1")) ?? []
                    return kept.count == ConsoleRecording.kept && !controller.isOpen
                })
            #expect(kept.allSatisfy { $0.tail.count <= ConsoleRecording.capacity })
        }
    }

    @Test("a machine whose console is not to be recorded is left alone; a person may look all the same")
    func unrecorded() async throws {
        try await with(records: false) { hub, _, controller, time in
            hub.record("m-1", at: time.now)
            // What is served later shows that the former was done with.
            #expect(await eventually { hub.recording(of: "m-1") == nil })
            #expect(controller.opened == 0)
            let watcher = Task { for await _ in hub.attach("m-1") {} }
            #expect(await eventually { controller.isOpen })
            watcher.cancel()
        }
    }

    @Test("when many boot at once, consoles wait for their turn to be recorded; a person does not")
    func turns() async throws {
        try await with(mostRecorded: 1) { hub, _, controller, time in
            hub.record("m-1", at: time.now)
            try #require(await eventually { controller.isOpen })
            hub.record("m-2", at: time.now)
            #expect(!hub.takeTurn("m-2"))
            let watcher = Task { for await _ in hub.attach("m-2") {} }
            #expect(await eventually { controller.opened == 2 })
            watcher.cancel()
            #expect(await eventually { !hub.hasViewers("m-2") })
            #expect(!hub.takeTurn("m-2"))
            time.advance(by: ConsoleHub.patience + 1)
            #expect(await eventually { !controller.isOpen })
            hub.record("m-2", at: time.now)
            #expect(await eventually { controller.opened == 3 }, "the first one's turn is over")
        }
    }

    @Test("a console that cannot be had is said to the one who looks, who is let go")
    func refused() async throws {
        try await with { hub, _, controller, _ in
            controller.state.withLock {
                $0.refusal = BMCError(
                    address: "10.0.0.9", doing: "open the serial console", reason: .unsupported, "no SOL")
            }
            var notes: [String] = []
            for await output in hub.attach("m-1") { if case .note(let words) = output { notes.append(words) } }
            #expect(notes.contains { $0.contains("no SOL") }, "\(notes)")
        }
    }
}
