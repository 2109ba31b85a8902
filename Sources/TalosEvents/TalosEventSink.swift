import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Logging
import NIOCore
import NetworkAddresses
import OperatingSystems
import ServiceLifecycle

/// The service that Talos machines send their events to: `events.EventSinkService` (siderolabs/siderolink, api/events/events.proto), which is gRPC in
/// plain text without authentication. Everything that comes is bounded: bytes of an event, connections, how long one lasts.
public struct TalosEventSink: Service {
    let address: String
    let port: Int
    let limits: Limits
    let listener: any TalosListener
    let logger: Logger

    /// What one may take.
    public struct Limits: Sendable {
        /// Bytes of one event. Those of Talos have some hundred.
        public var eventBytes = 64 << 10
        /// Installed machines stay connected while they tell something.
        public var connections = 4096
        /// A machine has one; a NAT may stand before many.
        public var connectionsPerAddress = 64
        /// Calls at once in one connection: Talos makes one after the other.
        public var calls = 8
        /// After which a connection without a call is closed. Talos opens another with its next event.
        public var idle = Duration.seconds(300)
        /// After which any connection is closed, with a call that does not come to its end.
        public var age = Duration.seconds(3600)
        /// That it has for ending well, before it is cut.
        public var grace = Duration.seconds(10)

        public init() {}
    }

    public init(
        address: String, port: Int, limits: Limits = Limits(), listener: any TalosListener, logger: Logger
    ) {
        (self.address, self.port, self.limits) = (address, port, limits)
        (self.listener, self.logger) = (listener, logger)
    }

    /// The address cannot be had.
    public struct BindError: Error, CustomStringConvertible {
        public var description: String
    }

    /// - Throws: ``BindError``.
    public func run() async throws {
        // What the server dies of, it begins anew: nobody who talks to it may end it.
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            let server = GRPCServer(transport: transport(), services: [EventSinkService(listener, logger)])
            try await withGracefulShutdownHandler {
                try await serve(server)
            } onGracefulShutdown: {
                server.beginGracefulShutdown()
            }
            // Nor keep it busy.
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
        }
    }

    private func serve(_ server: GRPCServer<HTTP2ServerTransport.Posix>) async throws {
        async let isBound = isListening(server)
        do {
            try await server.serve()
        } catch {
            guard await isBound else {
                let cause = (error as? RuntimeError)?.cause ?? error
                throw BindError(
                    description:
                        "the event sink for Talos cannot listen on \(address):\(port): \(cause); `ss -tlpn sport = :\(port)` shows who does"
                )
            }
            logger.error("the event sink for Talos ended, and begins anew", metadata: ["error": "\(error)"])
        }
    }

    private func isListening(_ server: GRPCServer<HTTP2ServerTransport.Posix>) async -> Bool {
        guard let bound = try? await server.transport.listeningAddress.ipv4 else { return false }
        logger.info("event sink for Talos", metadata: ["address": "\(bound.host):\(bound.port)"])
        return true
    }

    private func transport() -> HTTP2ServerTransport.Posix {
        let (connections, limits, logger) = (
            ConnectionCount(maximum: limits.connections, perAddress: limits.connectionsPerAddress), limits, logger
        )
        return HTTP2ServerTransport.Posix(
            address: .ipv4(host: address, port: port), transportSecurity: .plaintext,
            config: .defaults { config in
                config.rpc.maxRequestPayloadSize = limits.eventBytes
                config.http2.maxConcurrentStreams = limits.calls
                config.connection.maxIdleTime = limits.idle
                config.connection.maxAge = limits.age
                config.connection.maxGraceTime = limits.grace
                config.channelDebuggingCallbacks.onAcceptTCPConnection = { channel in
                    let address = channel.remoteAddress?.ipAddress ?? ""
                    guard connections.admit(address) else {
                        logger.debug("too many connections to the event sink", metadata: ["address": "\(address)"])
                        channel.close(promise: nil)
                        return channel.eventLoop.makeSucceededVoidFuture()
                    }
                    channel.closeFuture.whenComplete { _ in connections.release(address) }
                    return Lifetime.bound(channel, silence: limits.idle + limits.grace, age: limits.age + limits.grace)
                }
            })
    }
}
