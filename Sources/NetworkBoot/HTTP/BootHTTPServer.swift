import Glibc
import Logging
import Machines
import NIOCore
import NIOHTTP1
import NIOPosix
import NetworkAddresses
import ServiceLifecycle

/// What the boot HTTP server serves.
public struct BootContent: Sendable {
    let scripts: IPXEScripts
    let bootFiles: BootFileDirectory
    /// `vmlinuz` and `initrd`.
    let agent: BootFileDirectory
    let images: any ImageSource
    let director: any NetworkBootDirector
    let bootURL: String

    public init(
        scripts: IPXEScripts, bootFiles: BootFileDirectory, agent: BootFileDirectory, images: any ImageSource,
        director: any NetworkBootDirector, bootURL: String
    ) {
        (self.scripts, self.bootFiles, self.agent) = (scripts, bootFiles, agent)
        (self.images, self.director, self.bootURL) = (images, director, bootURL)
    }

    enum Found: Sendable {
        case text(String)
        case file(OpenFile)
        case nothing
    }

    /// - Parameter isHead: asked without being fetched; a ticket is not spent on it.
    func find(_ request: BootRequest, isHead: Bool) async -> Found {
        switch request {
        case .script(let client, let isUEFI):
            if isHead { return .text("#!ipxe\n") }
            let (name, text) = scripts.render(await director.script(for: client), bootURL: bootURL, isUEFI: isUEFI)
            director.record(
                BootTraceEvent(mac: client.mac, address: client.address, step: .script(name: name.rawValue)))
            return .text(text)
        case .bootFile(let name): return bootFiles.open(name).map { .file($0) } ?? .nothing
        case .agentKernel: return agent.open("vmlinuz").map { .file($0) } ?? .nothing
        case .agentInitrd: return agent.open("initrd").map { .file($0) } ?? .nothing
        case .image(let digest):
            return await images.path(ofImage: digest).flatMap { OpenFile(path: $0) }.map { .file($0) } ?? .nothing
        case .nothing: return .nothing
        }
    }
}

/// Serves scripts, boot files and images over plain HTTP/1.1, with sendfile. Nothing secret but the one-time ticket in a script.
public struct BootHTTPServer: Service {
    private let address: String
    private let port: Int
    private let content: BootContent
    private let logger: Logger
    private let started: @Sendable (Int) -> Void
    private let idleSeconds: Int64

    /// Connections at once.
    static let maximumConnections = 4096

    /// - Parameters:
    ///   - port: 0 for a free one in tests.
    ///   - idleSeconds: a connection on which nothing moves is closed after this.
    ///   - started: told the port once the server listens.
    public init(
        address: String, port: Int, content: BootContent, logger: Logger, idleSeconds: Int64 = 60,
        started: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        (self.address, self.port, self.content, self.logger) = (address, port, content, logger)
        (self.idleSeconds, self.started) = (idleSeconds, started)
    }

    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            let (content, logger, idle) = (content, logger, TimeAmount.seconds(idleSeconds))
            let connections = ConnectionCount(maximum: Self.maximumConnections)
            let server: any Channel
            do {
                server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .serverChannelOption(.backlog, value: 256)
                    .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                    .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                    .childChannelOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_USER_TIMEOUT)), value: 60_000)
                    .childChannelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            guard connections.open(channel) else { throw BootServiceError("too many connections") }
                            let handlers = channel.pipeline.syncOperations
                            try handlers.addHandler(
                                IdleStateHandler(readTimeout: nil, writeTimeout: nil, allTimeout: idle))
                            try handlers.configureHTTPServerPipeline(
                                withPipeliningAssistance: true, withErrorHandling: true)
                            try handlers.addHandler(BootHTTPHandler(content: content, logger: logger))
                        }
                    }
                    .bind(host: address, port: port).get()
            } catch let error as IOError {
                throw BootServiceError(
                    "boot HTTP cannot listen on \(address):\(port): \(error); `ss -tlpn sport = :\(port)` shows who does"
                )
            }
            let bound = server.localAddress?.port ?? port
            logger.info("boot HTTP", metadata: ["address": "\(address)", "port": "\(bound)"])
            started(bound)
            try await withTaskCancellationHandler {
                try await server.closeFuture.get()
            } onCancel: {
                server.close(promise: nil)
            }
        }
    }
}
