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
    ///   - started: told the port once the server listens.
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
            let (content, limits, logger) = (content, limits, logger)
            let desk = try await loop.submit {
                NIOLoopBound(
                    TFTPDesk(content: content, limits: limits, logger: logger, loop: loop), eventLoop: loop)
            }.get()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await serve(port, takesRequests: true, desk, on: loop) }
                for _ in 0..<(singlePort ? 0 : Self.transferPorts) {
                    group.addTask { try await serve(0, takesRequests: false, desk, on: loop) }
                }
                try await group.waitForAll()
            }
        }
    }

    /// Until it is cancelled: a socket that an error closed is opened again.
    private func serve(
        _ number: Int, takesRequests: Bool, _ desk: NIOLoopBound<TFTPDesk>, on loop: any EventLoop
    ) async throws {
        var isFirst = true
        while true {
            do {
                let descriptor = try DatagramSocket.open(address: address, port: number)
                DatagramSocket.enlargeBuffers(descriptor)
                let channel = try await DatagramSocket.channel(descriptor, on: loop) {
                    TFTPPort(descriptor: descriptor, takesRequests: takesRequests, desk: desk.value)
                }
                if takesRequests {
                    let bound = channel.localAddress?.port ?? number
                    logger.info("TFTP", metadata: ["address": "\(address)", "port": "\(bound)"])
                    if isFirst { started(bound) }
                }
                isFirst = false
                try await withTaskCancellationHandler {
                    try await channel.closeFuture.get()
                } onCancel: {
                    channel.close(promise: nil)
                }
                try Task.checkCancellation()
                logger.warning("a TFTP socket was closed", metadata: ["address": "\(address)"])
            } catch let error as BootServiceError where !isFirst {
                logger.warning("no TFTP socket, will retry", metadata: ["error": "\(error)"])
            }
            try await Task.sleep(for: .seconds(1))
        }
    }
}
