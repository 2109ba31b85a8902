import Foundation
import ImageLibrary
import Logging
import Machines
import NetworkAddresses
import NetworkBoot
import ServiceLifecycle

/// `slipwayd --mirror-of URL`: a daemon that has another one's images, and nothing else.
public enum MirrorDaemon {
    /// - Parameter origin: `http://10.77.0.1:8080`, the boot HTTP server of the main daemon or of another mirror.
    public static func main(
        origin: String, configurationFile: String, logLevel: String, checkOnly: Bool
    ) async throws {
        await Daemon.telling {
            let logger = try Daemon.logger(logLevel)
            guard ImagesSection.server(origin) != nil else {
                throw DaemonError(
                    "--mirror-of \(origin): it needs the boot HTTP server of the main daemon, such as http://10.77.0.1:8080"
                )
            }
            let configuration = try MirrorConfiguration.load(configurationFile)
            if checkOnly { return print("\(configurationFile): fine") }
            try await run(configuration, origin: origin, logger: logger)
        }
    }

    private static func run(_ configuration: MirrorConfiguration, origin: String, logger: Logger) async throws {
        MemoryKeeper.limitArenas()
        FileLimit.raise(logger: logger)
        EventLoops.fit()
        let library = try Library(directory: configuration.stateDirectory + "/images", logger: logger)
        let mirror = MirrorLibrary(
            library: library, origin: origin, limit: Int64(configuration.limit) << 30, logger: logger)
        let server = BootHTTPServer(
            address: configuration.address.description, port: configuration.bootPort,
            content: BootContent(images: mirror, director: NobodysDirector(), limits: configuration.images),
            logger: logger)
        logger.info(
            "slipwayd starts as a mirror", metadata: ["version": "\(Daemon.version)", "origin": "\(origin)"])
        try await Daemon.serve([MirrorService(mirror: mirror), server, MemoryKeeper(logger: logger)], logger: logger)
    }

    private struct MirrorService: Service {
        let mirror: MirrorLibrary

        func run() async throws {
            try await cancelWhenGracefulShutdown { try await mirror.run() }
        }
    }

    /// A mirror boots nobody.
    private struct NobodysDirector: NetworkBootDirector {
        func instruction(for client: BootClient) -> BootInstruction { BootInstruction(.ignore) }
        func script(for client: BootClient) -> BootScript { .refuse("this is a mirror of images") }
        func record(_ event: BootTraceEvent) {}
    }
}
