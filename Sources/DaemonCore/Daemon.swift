import APIModel
import ClusterMembership
import Controllers
import CoreMetrics
import Foundation
import ImageLibrary
import Inventory
import Logging
import Machines
import NetworkAddresses
import NetworkBoot
import PowerControl
import ProfileFiles
import PrometheusMetrics
import SQLiteStore
import ServiceLifecycle
import Store
import TalosEvents
import UnixSignals

/// `slipwayd`: the one place where all parts are put together.
public enum Daemon {
    public static let version = Version.current

    /// Reads the configuration, starts everything, and returns when asked to stop.
    public static func main(configurationFile: String, logLevel: String, checkOnly: Bool) async throws {
        await telling {
            let logger = try logger(logLevel)
            let configuration = try DaemonConfiguration.load(configurationFile)
            let profiles = try ProfileDirectory.load(configuration.profileDirectory)
            let scripts = try BootScripts(directory: configuration.scriptDirectory)
            try BootServices.check(configuration)
            _ = try BMCAuthorities.router(configuration.bmcAuthorities, logger: Logger(label: "check"))
            try MakersKeys.check(configuration)
            if checkOnly {
                print("\(configurationFile): fine; \(profiles.count) hardware profiles")
                return
            }
            let metrics = MetricsRegistry()
            MetricsSystem.bootstrap(metrics)
            try await run(configuration, profiles: profiles, scripts: scripts, metrics: metrics, logger: logger)
        }
    }

    /// Does what a program is for; what goes wrong is told, and ends it.
    static func telling(_ body: () async throws -> Void) async {
        do {
            try await body()
        } catch {
            // The words are enough: a person reads them in the journal, not a debugger.
            FileHandle.standardError.write(Data("slipwayd: \(error)\n".utf8))
            exit(1)
        }
    }

    /// Sets up the log.
    static func logger(_ level: String) throws -> Logger {
        guard let level = Logger.Level(rawValue: level) else {
            throw DaemonError("\(level) is not a log level; there is trace, debug, info, notice, warning, error")
        }
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        return Logger(label: "slipwayd")
    }

    static func run(
        _ configuration: DaemonConfiguration, profiles: [HardwareProfile], scripts: BootScripts,
        metrics: MetricsRegistry, logger: Logger
    ) async throws {
        let now: @Sendable () -> Date = { Date() }
        MemoryKeeper.limitArenas()
        FileLimit.raise(logger: logger)
        EventLoops.fit()
        EventLoops.goFirst()
        let state = configuration.stateDirectory
        do {
            try FileManager.default.createDirectory(
                atPath: state, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw DaemonError("the state directory \(state) cannot be made: \(error.localizedDescription)")
        }
        let store = try SQLiteRecordStore(path: state + "/slipway.sqlite")
        let keys = try Keyring(directory: state, now: now())
        try await Keyring.bootstrapToken(store: store, path: state + "/admin.token", now: now())
        let images = try Library(
            directory: state + "/images", quota: configuration.libraryLimit.map { Int64($0) << 30 }, logger: logger)
        let offerings = BootServices.offerings(configuration)
        if !offerings.signedChain {
            logger.notice(
                "no boot programs for Secure Boot: shimx64.efi and grubx64.efi are not in boot_files; `make boot-files` puts them there"
            )
        }
        let installation = Installation(
            apiURL: configuration.apiURL, bootURL: configuration.bootURL, certificateAuthority: try keys.authority.pem,
            certificateAuthorityPin: keys.authority.pin, orderKey: keys.orderKey, certificateKey: keys.certificateKey,
            name: configuration.name, secretKey: keys.secretKey, admission: configuration.admission,
            offerings: offerings, agentArguments: configuration.agentArguments,
            syslog: configuration.syslogPort.map { "\(configuration.address):\($0)" },
            talosEvents: configuration.talosEventsPort.map { "\(configuration.address):\($0)" },
            idleSeconds: configuration.idleSeconds, mirrors: configuration.mirrors)
        let bmcs = try BMCAuthorities.router(configuration.bmcAuthorities, logger: logger)
        let registry = StandaloneRegistry(
            store: store, heartbeatSeconds: configuration.heartbeatSeconds, logger: logger, now: now)
        let controllers = ControllerSet(
            store: store, installation: installation, profiles: profiles, bmcs: bmcs, prober: bmcs,
            images: images,
            fetching: ImageFetcher(
                library: images,
                policy: FetchPolicy(
                    allowsPrivateAddresses: configuration.fetchesFromPrivateAddresses,
                    maximumBytes: Int64(configuration.largestFetch) << 30,
                    environment: ProcessInfo.processInfo.environment),
                keys: MakersKeys.of(configuration), logger: logger),
            shelf: images, cluster: registry, limits: configuration.operationLimits,
            serverCertificates: try serverCertificates(configuration, keys, now: now()), logger: logger, now: now)
        try await controllers.profiles.load()
        let rematched = try await controllers.machines.rematch()
        if rematched > 0 {
            logger.notice("hardware profiles are other ones", metadata: ["machines": "\(rematched)"])
        }
        // The index is loaded before the first packet is answered: a ready machine must not be taken for an unknown one.
        try await controllers.feed.load()
        try await controllers.recorder.load()
        let boot = try BootServices(
            configuration, scripts: scripts, images: images, director: controllers.director,
            authority: keys.authority, logger: logger)
        let api = APIService(
            configuration: configuration, store: store, controllers: controllers, registry: registry, images: images,
            authority: keys.authority, metrics: metrics, logger: logger, now: now)
        var services: [any Service] = [
            controllers.feed, controllers.recorder, controllers.keeper,
            HeartbeatMonitor(registry: registry, logger: logger),
            try api.service(),
        ]
        services += boot.services
        services += [
            controllers.reconciler, controllers.monitor, controllers.consoleService, controllers.shells,
            controllers.problemWatch, controllers.fetcher, controllers.library,
            Janitor(store: store, logger: logger, now: now), MemoryKeeper(logger: logger),
        ]
        if let port = configuration.talosEventsPort {
            services += [
                controllers.talosEvents,
                TalosEventSink(
                    address: configuration.address.description, port: port, listener: controllers.talosEvents,
                    logger: logger),
            ]
        }
        logger.info(
            "slipwayd starts",
            metadata: ["version": "\(version)", "api": "\(configuration.apiURL)", "profiles": "\(profiles.count)"])
        try await serve(services, logger: logger)
        try store.close()
    }

    /// Runs services until the daemon is asked to stop.
    static func serve(_ services: [any Service], logger: Logger) async throws {
        var group = ServiceGroupConfiguration(
            services: services.map { .init(service: EndingWell(service: $0)) },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        // Agents and watchers hold requests open for minutes; they come back to the next daemon.
        group.maximumGracefulShutdownDuration = .seconds(5)
        do {
            try await ServiceGroup(configuration: group).run()
        } catch is CancellationError {
            // The five seconds were over.
        }
    }

    /// Certificates whose end is a problem.
    private static func serverCertificates(
        _ configuration: DaemonConfiguration, _ keys: Keyring, now: Date
    ) throws -> [ProblemFacts.Certificate] {
        let ofAuthority =
            "every agent and node trusts it: move ca.key and ca.pem away, restart it, and boot machines anew"
        var certificates = [
            ProblemFacts.Certificate(
                name: "the certificate of the installation's CA", notAfter: keys.authority.notAfter,
                renewal: ofAuthority),
            ProblemFacts.Certificate(
                name: "the certificate of the API", notAfter: now.addingTimeInterval(CertificateAuthority.leafLifetime),
                renewal: "restart slipwayd: it makes a new one at every start"),
        ]
        if configuration.bootTLSPort != nil {
            let authority = try Keyring.firmwareAuthority(directory: configuration.stateDirectory, now: now)
            certificates.append(
                ProblemFacts.Certificate(
                    name: "the certificate of the boot CA", notAfter: authority.notAfter,
                    renewal:
                        "move boot-ca.key and boot-ca.pem away, restart slipwayd, and enroll the new one in firmware"))
        }
        return certificates
    }
}

/// Services that wait for the next packet or change stop by being cancelled: for the daemon that is a good end.
private struct EndingWell: Service, CustomStringConvertible {
    let service: any Service

    /// The log of the service group names services by this: never by what they hold, which may be keys.
    var description: String { "\(type(of: service))" }

    func run() async throws {
        do {
            try await service.run()
        } catch is CancellationError {}
    }
}

/// The daemon cannot start.
struct DaemonError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}
