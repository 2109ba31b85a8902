import APIModel
import ClusterMembership
import Controllers
import Crypto
import Foundation
import Inventory
import Logging
import Machines
import NetworkAddresses
import Store
import TestSupport
import Testing

/// A machine's whole way, with the daemon's own controllers. The agent, the BMC and the installed system are played by the test.
@Suite(.timeLimit(.minutes(2))) struct LifecycleFlowTests {
    /// One daemon's worth of controllers over a store that outlives them.
    final class Daemon: Sendable {
        let controllers: ControllerSet
        let registry: StandaloneRegistry
        private let task: Task<Void, any Error>

        init(
            _ store: any RecordStore, keys: Keys, bmcs: any BMCController = NoPower(), prober: any BMCProber = NoBMCs(),
            boot: BootPreferences = BootPreferences(), profiles: [HardwareProfile]? = nil, records: Bool = false,
            feeds: Bool = true, runs: Bool = true, keeps: Bool = true,
            limits: OperationLimits = OperationLimits(),
            now: @escaping @Sendable () -> Date = { Date() }
        ) {
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let installation = LifecycleFlowTests.installation(keys)
            let profile = HardwareProfile(
                name: "rack", match: .machine("manufacturer", "Slipway"), rootDisk: RootDiskHint(transports: [.nvme]),
                readBack: .full, boot: boot)
            registry = StandaloneRegistry(store: store, logger: logger, now: now)
            let controllers = ControllerSet(
                store: store, installation: installation, profiles: profiles ?? [profile], bmcs: bmcs,
                prober: prober, images: AllImages(), cluster: registry, limits: limits, logger: logger, now: now)
            self.controllers = controllers
            // The services run for as long as this daemon lives; kill() is the only way they end.
            task = Task {
                if feeds { try await controllers.feed.load() }
                try await controllers.recorder.load()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    if feeds { group.addTask { try await controllers.feed.run() } }
                    if runs { group.addTask { try await controllers.reconciler.run() } }
                    if keeps { group.addTask { try await controllers.keeper.run() } }
                    if records { group.addTask { try await controllers.recorder.run() } }
                    try await group.waitForAll()
                }
            }
        }

        /// Waits until nothing of it runs: a killed process writes no more.
        func kill() async {
            task.cancel()
            _ = await task.result
        }
        deinit { task.cancel() }
    }

    struct Keys: Sendable {
        let order = Curve25519.Signing.PrivateKey()
        let certificate = Curve25519.Signing.PrivateKey()
        let secret = SymmetricKey(size: .bits256)
    }

    static func installation(_ keys: Keys) -> Installation {
        Installation(
            apiURL: "https://10.77.0.1:8443", bootURL: "http://10.77.0.1:8080", certificateAuthority: "PEM\n",
            certificateAuthorityPin: "sha256:" + String(repeating: "a", count: 64), orderKey: keys.order,
            certificateKey: keys.certificate, secretKey: keys.secret, admission: .init(unknown: .discover),
            pollSeconds: 60)
    }

    struct AllImages: ImageSource {
        func path(ofImage digest: String) async -> String? { "/dev/null" }
    }

    /// Nobody is a node.
    struct NoCluster: ClusterGateway {
        func departure(of machine: Machine) async throws -> Departure? { nil }
        func askToLeave(_ machine: Machine, by actor: String) async throws {}
        func mayStay(_ machine: Machine) async throws {}
        func remove(_ machine: Machine) async throws {}
    }

    /// Machines of these tests have no BMC.
    struct NoPower: BMCController {
        struct Unexpected: Error {}
        func power(of bmc: BMCAccess) async throws -> PowerState { throw Unexpected() }
        func perform(_ action: PowerAction, on bmc: BMCAccess) async throws -> PowerState { throw Unexpected() }
        func bootOnce(from device: BootDevice, uefi: Bool, on bmc: BMCAccess) async throws -> BootOverride {
            throw Unexpected()
        }
    }

    struct NoBMCs: BMCProber {
        func probe(
            _ address: String, ports: [BMCKind: Int], credentials: BMCCredentials?, verification: BMCVerification
        ) async -> BMCProbe { BMCProbe(address: address, findings: []) }
    }

    static let mac = MACAddress(rawValue: 0x0016_3e00_0001)
    static let address = IPv4Address(10, 77, 0, 50)

    static func store() async throws -> MemoryStore {
        let store = MemoryStore()
        let image = Artifact(
            sha256: String(repeating: "b", count: 64), bytes: 10, compression: .zstd, rawBytes: 100)
        try await store.transaction { transaction in
            try transaction.put(
                OSRelease(
                    id: "r", name: "ref-1", os: "slipway-reference", version: "1", architecture: "amd64",
                    artifacts: [.image: image], minimumDiskBytes: 100, createdAt: Date()))
            try transaction.put(Cluster(id: "c", name: "demo", flavor: .standalone, createdAt: Date()))
        }
        return store
    }

    static func report(bootID: String = "boot-1", holdsData: Bool = false) -> HardwareReport {
        HardwareReport(
            system: .init(
                manufacturer: "Slipway", product: "Virtual Rack", serial: "SN-1",
                uuid: SystemUUID("4c4c4544-0042-3510-8052-b4c04f4e3132")),
            firmware: .init(kind: .uefi), processor: .init(architecture: "amd64", sockets: 1, cores: 1, threads: 1),
            memory: .init(installedBytes: 1 << 30),
            disks: [
                Disk(
                    path: "/dev/nvme0n1", serial: "D-1", sizeBytes: 4 << 30, transport: .nvme,
                    signatures: holdsData ? ["gpt"] : [])
            ],
            nics: [NIC(name: "eth0", mac: mac, pciAddress: "0000:00:02.0")], hasBMC: false, bootID: bootID)
    }

    /// Script, session, hardware report: what the agent does when it comes up.
    static func boot(
        _ daemon: Daemon, report: HardwareReport = report(), from: String = "\(address)",
        as client: BootClient = BootClient(mac: mac, stage: .ipxe, address: address)
    ) async throws -> AgentSession {
        guard case .agent(let arguments, _) = daemon.controllers.director.script(for: client) else {
            throw Unexpected("no agent script")
        }
        let ticket = try #require(arguments.first { $0.key == "slipway.ticket" }?.value)
        let reply = try await daemon.controllers.agents.open(
            SessionRequest(
                ticket: ticket, mac: client.mac, machine: report.identity, bootID: report.bootID, agentVersion: "1",
                uptimeSeconds: 3), from: from)
        let session = try await daemon.controllers.agents.authenticate(session: reply.session, token: reply.token)
        try await daemon.controllers.agents.report(report, from: session)
        return session
    }

    static func phase(_ store: any RecordStore) async throws -> Phase? {
        try await store.list(Machine.self).items.first?.observed.phase
    }

    static func poll(_ daemon: Daemon, _ session: AgentSession, keys: Keys) async throws -> Order {
        // One call is enough, also for an order that was lost with another daemon.
        guard let signed = await daemon.controllers.agents.nextOrder(for: session).signed else {
            throw Unexpected("no order")
        }
        return try signed.verified(by: keys.order.publicKey)
    }

    static func joinToken(_ order: Order) throws -> String {
        guard case .install(let install) = order.task else { throw Unexpected("no install") }
        let line = install.files[0].content.split(separator: "\n").first { $0.hasPrefix("JOIN_TOKEN=") }
        return String(try #require(line).dropFirst("JOIN_TOKEN=".count))
    }

    static func register(_ daemon: Daemon, token: String, credential: String = String(repeating: "c", count: 64))
        async throws -> Node
    {
        try await daemon.registry.register(
            .init(
                token: token, name: "node-1", machine: "m-00163e000001", osRelease: "ref-1", credential: credential,
                bootID: "os-1",
                kernel: "6.1", addresses: ["10.77.0.50"]))
    }

    @Test("from the first packet to a node, with the daemon killed before every step")
    func killedAtEveryStep() async throws {
        let store = try await Self.store()
        let keys = Keys()
        func restarted(_ daemon: Daemon) async -> Daemon {
            await daemon.kill()
            return Daemon(store, keys: keys)
        }
        var daemon = Daemon(store, keys: keys)
        let session = try await Self.boot(daemon)
        #expect(try await Self.phase(store) == .discovered)
        #expect(try await store.list(Machine.self).items[0].observed.profile == "rack")

        daemon = await restarted(daemon)
        let id = try #require(try await store.list(Machine.self).items.first).id
        _ = try await daemon.controllers.machines.accept(
            id, name: "node-1", bmc: nil, network: nil, generation: nil, by: "alice")
        #expect(try await eventually { try await Self.phase(store) == .available })

        daemon = await restarted(daemon)
        _ = try await daemon.controllers.machines.provision(
            id, assignment: .init(cluster: "demo", release: "ref-1"), generation: nil, by: "alice")
        daemon = await restarted(daemon)
        let lost = try await Self.poll(daemon, session, keys: keys)
        // Killed after the order left the store and before the agent had it: the next poll gets another.
        daemon = await restarted(daemon)
        let order = try await Self.poll(daemon, session, keys: keys)
        #expect(order.id != lost.id)
        #expect(order.machine == Self.report().facts)
        guard case .install(let install) = order.task else { throw Unexpected("no install") }
        #expect(install.disk.serial == "D-1" && install.readBack == .full)

        daemon = await restarted(daemon)
        try await daemon.controllers.agents.finish(
            OrderResult(outcome: .succeeded(entry: "kexec")), order: order.id, from: session)
        daemon = await restarted(daemon)
        // The answer was lost: the agent says it again.
        try await daemon.controllers.agents.finish(
            OrderResult(outcome: .succeeded(entry: "kexec")), order: order.id, from: session)
        #expect(try await eventually { try await Self.phase(store) == .joining })
        await #expect(throws: JoinRefusal.unknownToken) {
            try await Self.register(daemon, token: try Self.joinToken(lost))
        }

        daemon = await restarted(daemon)
        let node = try await Self.register(daemon, token: try Self.joinToken(order))
        daemon = await restarted(daemon)
        #expect(try await Self.register(daemon, token: try Self.joinToken(order)) == node)
        #expect(try await eventually { try await Self.phase(store) == .ready })
        let machine = try await store.list(Machine.self).items[0]
        #expect(machine.observed.node == "node-1" && machine.observed.installedRelease == "ref-1")
        #expect(try await store.list(Operation.self).items.map(\.state) == [.succeeded])
        #expect(
            await eventually {
                daemon.controllers.director.instruction(for: BootClient(mac: Self.mac, stage: .firmware)).action
                    == .localDisk
            })
        await daemon.kill()
    }

    @Test("a join token is good for one system")
    func stolenToken() async throws {
        let store = try await Self.store()
        let keys = Keys()
        let daemon = Daemon(store, keys: keys)
        let (order, session) = try await Self.installed(daemon, store, keys)
        try await daemon.controllers.agents.finish(
            OrderResult(outcome: .succeeded(entry: "kexec")), order: order.id, from: session)
        let token = try Self.joinToken(order)
        _ = try await Self.register(daemon, token: token)
        await #expect(throws: JoinRefusal.usedToken) {
            try await Self.register(daemon, token: token, credential: String(repeating: "d", count: 64))
        }
        // No secret is at rest anywhere in the store.
        for kind in ["operation", "join-token", "event", "machine", "node", "agent-session", "boot-ticket"] {
            for record in try await store.list(kind: kind).records {
                #expect(!String(decoding: record.value, as: UTF8.self).contains(token))
            }
        }
        await daemon.kill()
    }

    @Test("a disk that holds data stops the install before anything is touched, until a person says otherwise")
    func dataOnDisk() async throws {
        let store = try await Self.store()
        let keys = Keys()
        let daemon = Daemon(store, keys: keys)
        let session = try await Self.boot(daemon, report: Self.report(holdsData: true))
        let id = session.machine
        _ = try await daemon.controllers.machines.accept(
            id, name: "node-1", bmc: nil, network: nil, generation: nil, by: "alice")
        _ = try await daemon.controllers.machines.provision(
            id, assignment: .init(cluster: "demo", release: "ref-1"), generation: nil, by: "alice")
        #expect(try await eventually { try await Self.phase(store) == .failed })
        let reason = try await store.list(Machine.self).items[0].observed.failure?.reason
        #expect(reason?.contains("holds data (gpt)") == true)
        _ = try await daemon.controllers.machines.provision(
            id, assignment: .init(cluster: "demo", release: "ref-1", eraseExistingData: true), generation: nil,
            by: "alice")
        _ = try await Self.poll(daemon, session, keys: keys)
        await daemon.kill()
    }

    @Test("nothing is installed on a machine that nobody accepted")
    func notAccepted() async throws {
        let store = try await Self.store()
        let daemon = Daemon(store, keys: Keys())
        let session = try await Self.boot(daemon)
        await #expect(throws: ServiceError.self) {
            try await daemon.controllers.machines.provision(
                session.machine, assignment: .init(cluster: "demo", release: "ref-1"), generation: nil, by: "alice")
        }
        #expect(try await store.list(Operation.self).items.isEmpty)
        await daemon.kill()
    }

    @Test("a ticket used by a second agent is void, and so is the session of the first")
    func ticketReuse() async throws {
        let store = try await Self.store()
        let daemon = Daemon(store, keys: Keys())
        let client = BootClient(mac: Self.mac, stage: .ipxe, address: Self.address)
        guard case .agent(let arguments, _) = daemon.controllers.director.script(for: client) else {
            throw Unexpected("no script")
        }
        let ticket = try #require(arguments.first { $0.key == "slipway.ticket" }?.value)
        func request(_ boot: String) -> SessionRequest {
            SessionRequest(
                ticket: ticket, mac: Self.mac, machine: Self.report().identity, bootID: boot, agentVersion: "1",
                uptimeSeconds: 1)
        }
        let reply = try await daemon.controllers.agents.open(request("one"), from: "10.77.0.50")
        await #expect(throws: ServiceError.self) {
            try await daemon.controllers.agents.open(request("two"), from: "10.77.0.66")
        }
        await #expect(throws: ServiceError.self) {
            try await daemon.controllers.agents.authenticate(session: reply.session, token: reply.token)
        }
        #expect(
            try await store.list(Event.self).items.contains {
                $0.type == .problem && $0.details["problem"] == "ticket-reuse"
            })
        await daemon.kill()
    }

    /// A machine up to its install order.
    static func installed(_ daemon: Daemon, _ store: any RecordStore, _ keys: Keys) async throws -> (
        Order, AgentSession
    ) {
        let session = try await boot(daemon)
        _ = try await daemon.controllers.machines.accept(
            session.machine, name: "node-1", bmc: nil, network: nil, generation: nil, by: "alice")
        _ = try await daemon.controllers.machines.provision(
            session.machine, assignment: .init(cluster: "demo", release: "ref-1"), generation: nil, by: "alice")
        return (try await poll(daemon, session, keys: keys), session)
    }

    struct Unexpected: Error {
        var words: String
        init(_ words: String) { self.words = words }
    }
}
