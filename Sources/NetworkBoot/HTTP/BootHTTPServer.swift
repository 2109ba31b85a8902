import Glibc
import Logging
import Machines
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NetworkAddresses
import ServiceLifecycle

/// Serves scripts, boot files and images over plain HTTP/1.1, with sendfile. Nothing secret but the one-time ticket in a script.
public struct BootHTTPServer: Service {
    private let address: String
    private let port: Int
    private let content: BootContent
    private let logger: Logger
    private let started: @Sendable (Int) -> Void
    private let idleSeconds: Int64
    private let requestSeconds: Int64
    private let tls: NIOSSLContext?

    /// Connections at once, in all and from one address.
    static let maximumConnections = 4096
    static let perAddress = 1024

    /// - Parameters:
    ///   - port: 0 for a free one in tests.
    ///   - idleSeconds: a connection on which nothing moves is closed after this.
    ///   - requestSeconds: a request that is not whole after this ends its connection.
    ///   - tls: serves firmware with HTTPS boot; nil: plain HTTP.
    ///   - started: told the port once the server listens.
    public init(
        address: String, port: Int, content: BootContent, logger: Logger, idleSeconds: Int64 = 60,
        requestSeconds: Int64 = 20, tls: NIOSSLContext? = nil,
        started: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        (self.address, self.port, self.content, self.logger) = (address, port, content, logger)
        (self.idleSeconds, self.requestSeconds) = (idleSeconds, requestSeconds)
        (self.tls, self.started) = (tls, started)
    }

    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            let patience = BootHTTPHandler.Patience(idle: .seconds(idleSeconds), request: .seconds(requestSeconds))
            let (content, tls, scheme) = (content, tls, tls == nil ? "boot HTTP" : "boot HTTPS")
            let connections = ConnectionCount(maximum: Self.maximumConnections, perAddress: Self.perAddress)
            let flushes = LaterFlushes.Table()
            let server: any Channel
            do {
                server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .serverChannelOption(.backlog, value: 256)
                    .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                    .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                    // What the socket takes at once, then the other clients: a second try would find little room.
                    .childChannelOption(.writeSpin, value: 0)
                    .childChannelOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_USER_TIMEOUT)), value: 60_000)
                    .childChannelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            let client = channel.remoteAddress?.ipAddress ?? ""
                            guard connections.admit(client) else { throw BootServiceError("too many connections") }
                            channel.closeFuture.whenComplete { _ in connections.release(client) }
                            let handlers = channel.pipeline.syncOperations
                            if let tls { try handlers.addHandler(NIOSSLServerHandler(context: tls)) }
                            // The parser keeps nothing back but what follows a request to upgrade, which it would gather for ever.
                            try handlers.addHandler(
                                ByteToMessageHandler(
                                    HTTPRequestDecoder(), maximumBufferSize: BootHTTPHandler.maximumHeaderBytes))
                            try handlers.addHandler(
                                BootHTTPHandler(
                                    content: content, patience: patience, isTLS: tls != nil,
                                    flushes: flushes.flushes(on: channel.eventLoop)))
                        }
                    }
                    .bind(host: address, port: port).get()
            } catch let error as IOError {
                throw BootServiceError(
                    "\(scheme) cannot listen on \(address):\(port): \(error); `ss -tlpn sport = :\(port)` shows who does"
                )
            }
            let bound = server.localAddress?.port ?? port
            logger.info("\(scheme)", metadata: ["address": "\(address)", "port": "\(bound)"])
            started(bound)
            try await withTaskCancellationHandler {
                try await server.closeFuture.get()
            } onCancel: {
                server.close(promise: nil)
            }
        }
    }
}
