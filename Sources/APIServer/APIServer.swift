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
import NIOSSL
import ServiceLifecycle
import Store

/// The HTTPS interface: REST API for people and programs, agent API, registration of nodes.
public struct APIRouter: Sendable {
    let store: any RecordStore
    let machines: MachineService
    let operations: OperationService
    let bmcs: BMCService
    let consoles: ConsoleHub
    let consoleService: ConsoleService
    let shells: ShellService
    let agents: AgentService
    let catalog: CatalogService
    let expectations: ExpectationService
    let certificates: CertificateBook
    let problems: ProblemService
    let history: HistoryService
    let registry: StandaloneRegistry
    let images: ImageLibrary.Library
    let board: SessionBoard
    let boots: BootBook
    let doctor: @Sendable () async -> [DoctorView.Finding]
    /// The page of `/metrics`.
    let metrics: @Sendable () -> String
    let version: String
    let now: @Sendable () -> Date

    public init(
        store: any RecordStore, machines: MachineService, operations: OperationService, bmcs: BMCService,
        consoles: ConsoleHub,
        consoleService: ConsoleService, shells: ShellService, agents: AgentService, catalog: CatalogService,
        expectations: ExpectationService, certificates: CertificateBook, problems: ProblemService,
        history: HistoryService, registry: StandaloneRegistry,
        images: ImageLibrary.Library,
        board: SessionBoard, boots: BootBook,
        doctor: @escaping @Sendable () async -> [DoctorView.Finding],
        metrics: @escaping @Sendable () -> String, version: String,
        now: @escaping @Sendable () -> Date
    ) {
        (self.store, self.machines, self.bmcs, self.agents) = (store, machines, bmcs, agents)
        (self.operations, self.shells) = (operations, shells)
        (self.catalog, self.consoles, self.consoleService) = (catalog, consoles, consoleService)
        (self.expectations, self.certificates) = (expectations, certificates)
        (self.problems, self.history) = (problems, history)
        (self.registry, self.images, self.board, self.boots) = (registry, images, board, boots)
        (self.doctor, self.metrics, self.version, self.now) = (doctor, metrics, version, now)
    }

    func router() -> Router<APIContext> {
        let router = Router(context: APIContext.self)
        router.add(middleware: ProblemMiddleware())
        router.get("healthz") { _, _ in Response(status: .ok) }
        router.get("api/v1/version") { _, _ in try Response.json(VersionView(version: version)) }
        let nodes = NodeRoutes(store: store, registry: registry)
        nodes.registerOpen(on: router.group("api/v1"))
        AgentRoutes(agents: agents, shells: shells).register(on: router)
        let tokens = TokenMiddleware(store: store, now: now)
        MetricsRoute(page: metrics).register(on: router.group().add(middleware: tokens))
        let people = router.group("api/v1").add(middleware: tokens)
        let machineRoutes = MachineRoutes(store: store, machines: machines, operations: operations, board: board)
        machineRoutes.register(on: people)
        OperationRoutes(store: store, machines: machineRoutes, service: machines, operations: operations).register(
            on: people)
        VerbRoutes(machines: machineRoutes, service: machines, operations: operations).register(on: people)
        BMCRoutes(machines: machines, bmcs: bmcs).register(on: people)
        ConsoleRoutes(machines: machines, hub: consoles, service: consoleService).register(on: people)
        ShellRoutes(machines: machines, shells: shells).register(on: people)
        ExpectationRoutes(store: store, expectations: expectations).register(on: people)
        ProfileRoutes(store: store, machines: machines).register(on: people)
        CatalogRoutes(store: store, catalog: catalog, images: images).register(on: people)
        CertificateRoutes(certificates: certificates, machines: machines).register(on: people)
        ProblemRoutes(problems: problems, machines: machines).register(on: people)
        HistoryRoutes(history: history, machines: machines).register(on: people)
        EventRoutes(store: store, machines: machines).register(on: people)
        BootRoutes(store: store, machines: machines, boots: boots, consoles: consoleService, now: now).register(
            on: people)
        DoctorRoute(examine: doctor, now: now).register(on: people)
        nodes.register(on: people)
        return router
    }

    /// The server as a service.
    public func server(address: String, port: Int, tls: TLSConfiguration, logger: Logger) throws -> some Service {
        let http = HTTP1Channel.Configuration(additionalChannelHandlers: [UpgradeRefusal()], idleTimeout: .seconds(120))
        return Application(
            router: router(), server: try .tls(.http1(configuration: http), tlsConfiguration: tls),
            configuration: .init(address: .hostname(address, port: port), serverName: nil), logger: logger)
    }
}
