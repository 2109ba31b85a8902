import APIModel
import ClusterMembership
import Controllers
import FoundationEssentials
import Inventory
import Machines
import NetworkAddresses
import Store
import Synchronization
import TestSupport
import Testing

/// What an operator asks for, with the daemon's own controllers. Agent, firmware and installed system are played by the test.
@Suite(.timeLimit(.minutes(2))) struct WipeFlowTests {
    typealias Flow = LifecycleFlowTests
    static let credential = String(repeating: "c", count: 64)

    /// A machine that is a node of its cluster.
    static func node(_ daemon: Flow.Daemon, _ store: any RecordStore, _ keys: Flow.Keys) async throws -> String {
        let (order, session) = try await Flow.installed(daemon, store, keys)
        try await daemon.controllers.agents.finish(
            OrderResult(outcome: .succeeded(entry: "kexec")), order: order.id, from: session)
        _ = try await Flow.register(daemon, token: try Flow.joinToken(order))
        #expect(try await eventually { try await Flow.phase(store) == .ready })
        return session.machine
    }

    /// A machine that an agent waits on, accepted and without a system.
    static func available(
        _ daemon: Flow.Daemon, _ store: any RecordStore, report: HardwareReport = Flow.report(holdsData: true)
    ) async throws -> AgentSession {
        let session = try await Flow.boot(daemon, report: report)
        _ = try await daemon.controllers.machines.accept(
            session.machine, name: "node-1", bmc: nil, network: nil, generation: nil, by: "alice")
        #expect(try await eventually { try await Flow.phase(store) == .available })
        return session
    }

    static func wipeOrder(_ order: Order) throws -> WipeOrder {
        guard case .wipe(let wipe) = order.task else { throw Flow.Unexpected("no wipe: \(order.task)") }
        return wipe
    }

    /// What an agent that erased all of the order's disks says.
    static func evidence(_ wipe: WipeOrder, _ report: HardwareReport) throws -> [DiskEvidence] {
        try wipe.disks.map { item in
            let disk = try OrderVerifier.disk(item.disk, among: report.disks)
            return DiskEvidence(
                disk, method: item.methods.first, startedAt: Date(), endedAt: Date(),
                readBack: .init(kind: wipe.verify, bytes: 1 << 20, finding: "all zeros"), outcome: .erased)
        }
    }

    static func operation(_ store: any RecordStore, _ id: String) async throws -> Operation {
        try #require(try await store.get(Operation.self, id))
    }

    @Test("a node is drained, erased, installed anew and a node again, with the daemon killed before every step")
    func reprovision() async throws {
        let store = try await Flow.store()
        let keys = Flow.Keys()
        var daemon = Flow.Daemon(store, keys: keys)
        let id = try await Self.node(daemon, store, keys)
        func restart() async {
            await daemon.kill()
            daemon = Flow.Daemon(store, keys: keys)
        }
        func beat() async throws -> Bool {
            try await daemon.registry.heartbeat(
                node: "node-1", credential: Self.credential, bootID: "os-1", osRelease: "ref-1")
        }
        #expect(try await beat() == false)

        let (_, asked) = try await daemon.controllers.machines.begin(
            .init(.reprovision), on: id, generation: nil, by: "alice")
        #expect(asked.steps == [.drain, .wipe, .install, .join] && asked.targets?.map(\.serial) == ["D-1"])
        #expect(try await eventually { try await Flow.phase(store) == .draining })
        await restart()
        #expect(try await eventually { try await beat() })
        await restart()
        #expect(try await eventually { try await beat() }, "the node was killed, too, and asks again")
        let restarts = try await daemon.registry.noteLeft(node: "node-1", credential: Self.credential)
        #expect(restarts, "nobody else can restart it: it has no BMC")
        #expect(try await eventually { try await Flow.phase(store) == .wiping })
        #expect(try await store.get(Node.self, "node-1") == nil)
        await #expect(throws: JoinRefusal.unknownNode) { _ = try await beat() }

        await restart()
        #expect(
            await eventually {
                daemon.controllers.director.instruction(for: BootClient(mac: Flow.mac, stage: .firmware)).action
                    == .agent
            })
        let dirty = Flow.report(bootID: "boot-2", holdsData: true)
        let session = try await Flow.boot(daemon, report: dirty)
        let lost = try await Flow.poll(daemon, session, keys: keys)
        await restart()
        let order = try await Flow.poll(daemon, session, keys: keys)
        #expect(order.id != lost.id)
        let (wipe, former) = (try Self.wipeOrder(order), try Self.wipeOrder(lost))
        #expect(wipe.disks.map(\.disk.serial) == ["D-1"] && wipe.driveSecret == former.driveSecret)
        await restart()
        try await daemon.controllers.agents.report(Flow.report(bootID: "boot-2"), from: session)
        let result = OrderResult(outcome: .succeeded(entry: "none"), disks: try Self.evidence(wipe, dirty))
        try await daemon.controllers.agents.finish(result, order: order.id, from: session)
        await restart()
        // The answer was lost: the agent says it again.
        try await daemon.controllers.agents.finish(result, order: order.id, from: session)

        let install = try await Flow.poll(daemon, session, keys: keys)
        #expect(try await Flow.phase(store) == .installing)
        #expect(try await store.get(Secret.self, Secret.drives(of: id)) == nil, "it locks nothing any more")
        try await daemon.controllers.agents.finish(
            OrderResult(outcome: .succeeded(entry: "kexec")), order: install.id, from: session)
        await restart()
        _ = try await Flow.register(
            daemon, token: try Flow.joinToken(install), credential: String(repeating: "e", count: 64))
        #expect(try await eventually { try await Flow.phase(store) == .ready })
        let done = try await Self.operation(store, asked.id)
        #expect(done.state == .succeeded && done.done.map(\.step) == asked.steps)
        #expect(done.disks?.map(\.outcome) == [.erased])
        let certificate = try await daemon.controllers.certificates.certificate(try #require(done.certificate))
        let statement = try certificate.statement()
        #expect(statement.requestedBy == "alice" && statement.disks.map(\.serial) == ["D-1"])
        // The drives' password was in the order, and nowhere else.
        for kind in ["operation", "event", "machine", "agent-session"] {
            for record in try await store.list(kind: kind).records {
                #expect(!String(decoding: record.value, as: UTF8.self).contains(wipe.driveSecret))
            }
        }
        await daemon.kill()
    }

    /// Time that a test moves on.
    final class MovingClock: Sendable {
        private let ahead = Mutex(0.0)
        func move(by seconds: Double) { ahead.withLock { $0 += seconds } }
        @Sendable func now() -> Date { Date().addingTimeInterval(ahead.withLock { $0 }) }
    }

    @Test(
        "an agent that falls silent in mid-wipe is missed once its patience is over, and its machine is restarted",
        arguments: [false, true])
    func silence(isPowerRefused: Bool) async throws {
        let (chassis, clock) = (BootDeviceTests.Chassis(refusesPower: isPowerRefused), MovingClock())
        let (store, keys) = (try await Flow.store(), Flow.Keys())
        let daemon = Flow.Daemon(store, keys: keys, bmcs: chassis, now: clock.now)
        let session = try await Flow.boot(daemon, report: Flow.report(holdsData: true))
        let setting = BMCSetting(.init(address: "10.0.0.9", kind: .ipmi, username: "admin"), password: "p")
        _ = try await daemon.controllers.machines.accept(
            session.machine, name: "node-1", bmc: setting, network: nil, generation: nil, by: "alice")
        #expect(try await eventually { try await Flow.phase(store) == .available })
        let (_, asked) = try await daemon.controllers.machines.begin(
            .init(.wipe), on: session.machine, generation: nil, by: "alice")
        _ = try await Flow.poll(daemon, session, keys: keys)
        #expect(chassis.heard.isEmpty)
        clock.move(by: AgentSession.patience + 10)
        #expect(await eventually(within: .seconds(60)) { chassis.heard.contains("cycle") }, "\(chassis.heard)")
        if isPowerRefused {
            #expect(try await eventually { try await Self.operation(store, asked.id).powerFault != nil })
        }
        // What a BMC does not do is no failure of the drives.
        let operation = try await Self.operation(store, asked.id)
        #expect(operation.setback == nil && operation.state == .running)
        #expect((operation.powerFault?.contains("no agent is there") == true) == isPowerRefused)
        await daemon.kill()
    }

    @Test("a wipe without proof of every disk is none, and the machine fails with the serial")
    func proof() async throws {
        let store = try await Flow.store()
        let keys = Flow.Keys()
        let daemon = Flow.Daemon(store, keys: keys)
        let session = try await Self.available(daemon, store)
        let (_, asked) = try await daemon.controllers.machines.begin(
            .init(.wipe), on: session.machine, generation: nil, by: "alice")
        let order = try await Flow.poll(daemon, session, keys: keys)
        var other = try Self.evidence(try Self.wipeOrder(order), Flow.report())
        other[0].serial = "D-2"
        try await daemon.controllers.agents.finish(
            OrderResult(outcome: .succeeded(entry: "none"), disks: other), order: order.id, from: session)
        let setback = try await Self.operation(store, asked.id).setback
        #expect(setback?.reason.contains("D-1") == true)
        #expect(try await Flow.phase(store) == .wiping)
        await daemon.kill()
    }

    @Test("a disk that went or came since the wipe was asked for stops it before anything is touched")
    func otherDisks() async throws {
        for isGone in [true, false] {
            let store = try await Flow.store()
            let keys = Flow.Keys()
            // Nobody gives orders yet.
            let first = Flow.Daemon(store, keys: keys)
            var report = Flow.report(holdsData: true)
            report.disks.append(Disk(path: "/dev/nvme1n1", serial: "D-2", sizeBytes: 4 << 30, transport: .nvme))
            let session = try await Self.available(first, store, report: report)
            await first.kill()
            let quiet = Flow.Daemon(store, keys: keys, runs: false)
            _ = try await quiet.controllers.machines.begin(
                .init(.wipe), on: session.machine, generation: nil, by: "alice")
            if isGone {
                report.disks.removeLast()
            } else {
                report.disks.append(Disk(path: "/dev/sda", serial: "D-3", sizeBytes: 4 << 30, transport: .sata))
            }
            try await quiet.controllers.agents.report(report, from: session)
            await quiet.kill()
            let daemon = Flow.Daemon(store, keys: keys)
            #expect(try await eventually { try await Flow.phase(store) == .failed })
            let reason = try await store.list(Machine.self).items[0].observed.failure?.reason ?? ""
            #expect(reason.contains(isGone ? "D-2" : "D-3"), "\(reason)")
            await daemon.kill()
        }
    }

    @Test("what needs a second person waits for one, who is another")
    func approval() async throws {
        let store = try await Flow.store()
        let keys = Flow.Keys()
        let daemon = Flow.Daemon(store, keys: keys)
        let session = try await Self.available(daemon, store)
        let (_, asked) = try await daemon.controllers.machines.begin(
            .init(.wipe, needsApproval: true), on: session.machine, generation: nil, by: "alice")
        let operations = daemon.controllers.operations
        await #expect(throws: ServiceError.self) { try await operations.approve(asked.id, by: "alice") }
        // It would have begun by now: the machine was looked at anew.
        _ = try await daemon.controllers.machines.change(
            session.machine, .init(labels: ["a": "b"]), generation: nil, by: "alice")
        #expect(try await Flow.phase(store) == .available)
        #expect(operations.reasonToWait(try await Self.operation(store, asked.id))?.contains("approve") == true)
        _ = try await operations.approve(asked.id, by: "bob")
        let order = try await Flow.poll(daemon, session, keys: keys)
        #expect(order.operation == asked.id)
        await #expect(throws: ServiceError.self) { try await operations.approve(asked.id, by: "bob") }
        await daemon.kill()
    }

    @Test("aborted before its order a wipe leaves everything as it was")
    func abort() async throws {
        let store = try await Flow.store()
        let keys = Flow.Keys()
        let daemon = Flow.Daemon(store, keys: keys)
        let id = try await Self.node(daemon, store, keys)
        let (_, asked) = try await daemon.controllers.machines.begin(.init(.wipe), on: id, generation: nil, by: "alice")
        #expect(try await eventually { try await Flow.phase(store) == .draining })
        await #expect(throws: ServiceError.self) {
            try await daemon.controllers.machines.begin(.init(.rescue), on: id, generation: nil, by: "bob")
        }
        #expect(try await eventually { try await store.get(Node.self, "node-1")?.leaveAskedAt != nil })
        _ = try await daemon.controllers.operations.abort(asked.id, by: "bob")
        #expect(try await eventually { try await Flow.phase(store) == .ready })
        let operation = try await Self.operation(store, asked.id)
        #expect(operation.state == .aborted && operation.error?.contains("bob") == true)
        #expect(try await store.get(Node.self, "node-1")?.leaveAskedAt == nil, "the node stays")
        await daemon.kill()
    }

    @Test("a machine that is forgotten by force leaves a tombstone, and no secret")
    func forget() async throws {
        let store = try await Flow.store()
        let keys = Flow.Keys()
        let daemon = Flow.Daemon(store, keys: keys)
        let id = try await Self.node(daemon, store, keys)
        let machines = daemon.controllers.machines
        await #expect(throws: ServiceError.self) { try await machines.forget(id, isForced: false, by: "alice") }
        _ = try await machines.protect(id, true, by: "alice")
        await #expect(throws: ServiceError.self) { try await machines.forget(id, isForced: true, by: "alice") }
        _ = try await machines.protect(id, false, by: "alice")
        let tombstone = try await machines.forget(id, isForced: true, by: "alice")
        #expect(tombstone.name == "node-1" && tombstone.serial == "SN-1" && tombstone.phase == .ready)
        #expect(try await store.list(Machine.self).items.isEmpty)
        #expect(try await store.list(Node.self).items.isEmpty)
        #expect(try await store.list(Tombstone.self).items == [tombstone])
        await daemon.kill()
    }

    @Test("no more machines at once than the rack may have; the others follow")
    func turns() async throws {
        let store = try await Flow.store()
        let keys = Flow.Keys()
        let daemon = Flow.Daemon(store, keys: keys, limits: .init(total: 10, perRack: 1))
        var sessions: [AgentSession] = []
        for number in 1...3 as ClosedRange<UInt64> {
            var report = Flow.report(holdsData: true)
            let mac = MACAddress(rawValue: Flow.mac.rawValue + number)
            report.system.serial = "SN-\(number)"
            report.system.uuid = SystemUUID("4c4c4544-0042-3510-8052-b4c04f4e310\(number)")
            report.nics = [NIC(name: "eth0", mac: mac, pciAddress: "0000:00:02.0")]
            report.disks[0].serial = "D-\(number)"
            let session = try await Flow.boot(
                daemon, report: report, as: BootClient(mac: mac, stage: .ipxe, address: Flow.address))
            _ = try await daemon.controllers.machines.accept(
                session.machine, name: "node-\(number)", bmc: nil, network: nil, generation: nil, by: "alice")
            _ = try await daemon.controllers.machines.change(
                session.machine, .init(location: .some(.init(rack: "r1"))), generation: nil, by: "alice")
            #expect(
                try await eventually {
                    try await store.get(Machine.self, session.machine)?.observed.phase == .available
                })
            sessions.append(session)
        }
        for session in sessions {
            _ = try await daemon.controllers.machines.begin(
                .init(.wipe), on: session.machine, generation: nil, by: "alice")
        }
        func wiping() async throws -> [Machine] {
            try await store.list(Machine.self).items.filter { $0.observed.phase == .wiping }
        }
        for left in (0...2).reversed() {
            #expect(try await eventually { try await wiping().count == 1 })
            let machine = try #require(try await wiping().first)
            let session = try #require(sessions.first { $0.machine == machine.id })
            let waiting = try await store.list(Operation.self).items.filter { $0.state == .pending }
            #expect(waiting.count == left)
            let report = try #require(machine.observed.hardware)
            let order = try await Flow.poll(daemon, session, keys: keys)
            try await daemon.controllers.agents.finish(
                OrderResult(
                    outcome: .succeeded(entry: "none"), disks: try Self.evidence(try Self.wipeOrder(order), report)),
                order: order.id, from: session)
            #expect(
                try await eventually {
                    try await store.get(Machine.self, machine.id)?.observed.phase == .available
                })
        }
        await daemon.kill()
    }
}
