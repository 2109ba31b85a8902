import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import TFTP

/// Serves boot files by TFTP, read-only.
public struct TFTPServer: Service {
    private let address: String
    private let port: Int
    private let singlePort: Bool
    private let content: BootContent
    private let limits: Negotiation.Limits
    private let logger: Logger
    private let started: @Sendable (Int) -> Void

    /// Ports that transfers take turns on.
    static let transferPorts = 16

    /// - Parameters:
    ///   - address: the service address, IPv4 or IPv6; transfers go out from it, as clients expect.
    ///   - port: 69; 0 for a free one in tests.
    ///   - singlePort: transfers happen on the same port as requests: for NAT and Kubernetes services, which know only that one.
    ///   - started: told the port whenever the server begins to listen.
    public init(
        address: String, port: Int = 69, singlePort: Bool = false, content: BootContent,
        limits: Negotiation.Limits = .init(), logger: Logger,
        started: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        (self.address, self.port, self.singlePort, self.content) = (address, port, singlePort, content)
        (self.limits, self.logger, self.started) = (limits, logger, started)
    }

    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            // One loop for all sockets: what they share needs no lock.
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            let (content, singlePort, limits, logger) = (content, singlePort, limits, logger)
            let desk = try await loop.submit {
                NIOLoopBound(
                    TFTPDesk(
                        content: content, isSinglePort: singlePort, limits: limits, logger: logger, loop: loop),
                    eventLoop: loop)
            }.get()
            let own = singlePort ? 0 : Self.transferPorts
            let (ready, told) = AsyncStream.makeStream(of: Void.self)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<own {
                    group.addTask {
                        try await DatagramSocket.serve(
                            "TFTP transfers", address: address, port: 0, atOnce: 1, on: loop, logger: logger,
                            opened: { _ in told.yield() }
                        ) { TFTPPort(descriptor: $0, takesRequests: false, desk: desk.value) }
                    }
                }
                group.addTask {
                    // Requests are taken once there is where to answer them from.
                    for await _ in ready.prefix(own) {}
                    try await DatagramSocket.serve(
                        "TFTP", address: address, port: port, atOnce: 1, on: loop, logger: logger,
                        opened: { channel in
                            let bound = channel.localAddress?.port ?? port
                            logger.info("TFTP", metadata: ["address": "\(address)", "port": "\(bound)"])
                            started(bound)
                        }
                    ) { TFTPPort(descriptor: $0, takesRequests: true, desk: desk.value) }
                }
                // The first error ends all; `waitForAll` would wait for those that never end.
                while try await group.next() != nil {}
            }
        }
    }
}
