import APIModel
import ClusterMembership
import Controllers
import FoundationEssentials
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import ImageLibrary
import Logging
import Machines
import NIOCore
import NIOSSL
import NetworkAddresses
import ServiceLifecycle
import Store

/// The HTTPS interface: REST API for people and programs, agent API, registration of nodes.
public struct APIRouter: Sendable {
    let store: any RecordStore
    let controllers: ControllerSet
    let registry: StandaloneRegistry
    let images: ImageLibrary.Library
    let doctor: @Sendable () async -> [DoctorView.Finding]
    /// The page of `/metrics`.
    let metrics: @Sendable () -> String
    let version: String
    let now: @Sendable () -> Date

    public init(
        store: any RecordStore, controllers: ControllerSet, registry: StandaloneRegistry, images: ImageLibrary.Library,
        doctor: @escaping @Sendable () async -> [DoctorView.Finding], metrics: @escaping @Sendable () -> String,
        version: String, now: @escaping @Sendable () -> Date
    ) {
        (self.store, self.controllers, self.registry, self.images) = (store, controllers, registry, images)
        (self.doctor, self.metrics, self.version, self.now) = (doctor, metrics, version, now)
    }

    func router() -> Router<APIContext> {
        let router = Router(context: APIContext.self)
        router.add(middleware: ProblemMiddleware())
        router.get("healthz") { _, _ in Response(status: .ok) }
        router.get("api/v1/version") { _, _ in try Response.json(VersionView(version: version)) }
        let (machines, operations) = (controllers.machines, controllers.operations)
        let nodes = NodeRoutes(store: store, registry: registry)
        nodes.registerOpen(on: router.group("api/v1"))
        InstallationRoutes(desk: controllers.installations).register(on: router.group("api/v1"))
        AgentRoutes(agents: controllers.agents, shells: controllers.shells).register(on: router)
        let tokens = TokenMiddleware(store: store, now: now)
        MetricsRoute(page: metrics).register(on: router.group().add(middleware: tokens))
        let people = router.group("api/v1").add(middleware: tokens)
        let machineRoutes = MachineRoutes(
            store: store, machines: machines, operations: operations, board: controllers.board)
        machineRoutes.register(on: people)
        OperationRoutes(store: store, machines: machineRoutes, service: machines, operations: operations).register(
            on: people)
        VerbRoutes(machines: machineRoutes, service: machines, operations: operations).register(on: people)
        BMCRoutes(machines: machines, bmcs: controllers.bmcs).register(on: people)
        ConsoleRoutes(machines: machines, hub: controllers.consoles, service: controllers.consoleService).register(
            on: people)
        ShellRoutes(machines: machines, shells: controllers.shells).register(on: people)
        ExpectationRoutes(store: store, expectations: controllers.expectations).register(on: people)
        ProfileRoutes(store: store, machines: machines, profiles: controllers.profiles).register(on: people)
        CatalogRoutes(
            store: store, catalog: controllers.catalog, images: images, fetcher: controllers.fetcher,
            library: controllers.library
        ).register(on: people)
        ClusterRoutes(store: store, clusters: controllers.clusters).register(on: people)
        CertificateRoutes(certificates: controllers.certificates, machines: machines).register(on: people)
        ProblemRoutes(problems: controllers.problems, machines: machines).register(on: people)
        RenderingRoutes(machines: machines).register(on: people)
        HistoryRoutes(history: controllers.history, machines: machines).register(on: people)
        EventRoutes(store: store, machines: machines).register(on: people)
        BootRoutes(
            store: store, machines: machines, boots: controllers.boots, consoles: controllers.consoleService, now: now
        ).register(on: people)
        DoctorRoute(examine: doctor, now: now).register(on: people)
        nodes.register(on: people)
        return router
    }

    /// Twice as many as agents may wait. Each costs 100 KiB; more wait in the kernel until one of these ends.
    private static let maximumConnections = 3000
    /// For a TLS handshake: a thousand that come at once wait ten seconds for theirs.
    private static let handshakePatience = TimeAmount.seconds(30)

    /// The server as a service.
    /// - Parameter connectionsPerAddress: more of one address are closed: one client leaves some to others.
    public func server(
        address: String, port: Int, connectionsPerAddress: Int, tls: TLSConfiguration, logger: Logger
    ) throws -> some Service {
        let http = HTTP1Channel.Configuration(additionalChannelHandlers: [UpgradeRefusal()], idleTimeout: .seconds(120))
        let refusals = RefusalLog()
        let connections = ConnectionCount(perAddress: connectionsPerAddress)
        return Application(
            router: router(),
            server: .init { responder in
                try TLSChannel(
                    GuardedChannel(
                        base: HTTP1Channel(responder: responder, configuration: http), connections: connections,
                        refusals: refusals, patience: Self.handshakePatience),
                    tlsConfiguration: tls)
            },
            configuration: .init(
                address: .hostname(address, port: port), serverName: nil, backlog: 1024,
                availableConnectionsDelegate: .maximum(Self.maximumConnections, logger: logger)),
            logger: logger)
    }
}
