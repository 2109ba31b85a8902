import FoundationEssentials
import Inventory
import Logging
import Machines
import NetworkAddresses
import Store

/// The controllers and the services that the API calls, wired to each other.
public struct ControllerSet: Sendable {
    public let board: SessionBoard
    public let director: BootDirector
    public let machines: MachineService
    public let operations: OperationService
    public let bmcs: BMCService
    public let agents: AgentService
    public let installations: InstallationDesk
    public let talosEvents: TalosEventDesk
    public let catalog: CatalogService
    public let clusters: ClusterService
    public let fetcher: ReleaseFetcher
    public let library: LibraryKeeper
    public let reconciler: Reconciler
    public let monitor: BMCMonitor
    public let consoles: ConsoleHub
    public let consoleService: ConsoleService
    public let shells: ShellService
    public let profiles: ProfileService
    public let expectations: ExpectationService
    public let keeper: ExpectationKeeper
    public let certificates: CertificateBook
    public let problems: ProblemService
    public let problemWatch: ProblemWatch
    public let history: HistoryService
    public let boots: BootBook
    public let recorder: BootRecorder
    public let feed: DirectorFeed
    let identities: IdentityBook

    public init(
        store: any RecordStore, installation: Installation, profiles files: [HardwareProfile],
        bmcs controller: any BMCController, prober: any BMCProber, images: any ImageSource,
        fetching: any ImageFetching = NoLibrary(), shelf: any ImageShelf = NoLibrary(), cluster: any ClusterGateway,
        limits: OperationLimits = OperationLimits(),
        serverCertificates: [ProblemFacts.Certificate] = [], logger: Logger, now: @escaping @Sendable () -> Date
    ) {
        let wakeups = Wakeups()
        let profiles = ProfileBook(files)
        board = SessionBoard(startedAt: now())
        boots = BootBook()
        identities = IdentityBook()
        let tickets = TicketOffice(secret: installation.secretKey)
        let starts = NetworkStarts(store: store, key: installation.secretKey, logger: logger, now: now)
        director = BootDirector(
            installation: installation, tickets: tickets, book: boots, profiles: profiles, starts: starts,
            logger: logger, now: now)
        consoles = ConsoleHub()
        bmcs = BMCService(
            store: store, installation: installation, profiles: profiles, controller: controller, prober: prober,
            logger: logger, now: now)
        let planner = OperationPlanner(
            store: store, profiles: profiles, images: images,
            renderer: InstallationRenderer(store: store, installation: installation))
        let desk = OperationDesk(limits: limits)
        machines = MachineService(
            store: store, board: board, installation: installation, bmcs: bmcs, consoles: consoles,
            profiles: profiles, director: director, identities: identities, boots: boots, wakeups: wakeups,
            planner: planner, desk: desk,
            now: now)
        operations = OperationService(store: store, wakeups: wakeups, desk: desk, now: now)
        certificates = CertificateBook(store: store, installation: installation, now: now)
        agents = AgentService(
            store: store, board: board, director: director, identities: identities, tickets: tickets,
            profiles: profiles,
            installation: installation, certificates: certificates, wakeups: wakeups, logger: logger, now: now)
        installations = InstallationDesk(store: store, key: installation.secretKey, wakeups: wakeups, now: now)
        talosEvents = TalosEventDesk(store: store, wakeups: wakeups, logger: logger, now: now)
        catalog = CatalogService(store: store, images: fetching, now: now)
        fetcher = ReleaseFetcher(store: store, catalog: catalog, images: fetching, logger: logger, now: now)
        library = LibraryKeeper(store: store, shelf: shelf, logger: logger, now: now)
        clusters = ClusterService(store: store, key: installation.secretKey, now: now)
        expectations = ExpectationService(store: store, installation: installation, profiles: profiles, now: now)
        keeper = ExpectationKeeper(
            store: store, installation: installation, wakeups: wakeups, logger: logger, now: now)
        problems = ProblemService(
            store: store, board: board, images: images, identities: identities, profiles: profiles,
            certificates: serverCertificates, now: now)
        problemWatch = ProblemWatch(problems: problems, logger: logger)
        history = HistoryService(store: store)
        let orders = OrderIssuer(
            store: store, board: board, planner: planner, installation: installation, logger: logger, now: now)
        let stepper = Stepper(
            store: store, board: board, machines: machines, orders: orders, planner: planner, cluster: cluster,
            desk: desk, wakeups: wakeups, logger: logger, now: now)
        reconciler = Reconciler(
            store: store, stepper: stepper, board: board, wakeups: wakeups, logger: logger, now: now)
        monitor = BMCMonitor(store: store, bmcs: bmcs, logger: logger, now: now)
        consoleService = ConsoleService(store: store, bmcs: bmcs, hub: consoles, logger: logger, now: now)
        shells = ShellService(store: store, installation: installation, logger: logger, now: now)
        recorder = BootRecorder(store: store, director: director, book: boots, consoles: consoles, logger: logger)
        feed = DirectorFeed(store: store, director: director, identities: identities, starts: starts)
        self.profiles = ProfileService(store: store, book: profiles, machines: machines, logger: logger, now: now)
    }
}
