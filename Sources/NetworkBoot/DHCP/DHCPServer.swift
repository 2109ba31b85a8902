import DHCP
import FoundationEssentials
import Logging
import Machines
import Metrics
import NIOCore
import NIOPosix
import NetworkAddresses
import ServiceLifecycle

/// Serves DHCP on one interface: proxy beside another server, or full with a pool of its own.
public struct DHCPServer: Service {
    public enum Mode: Sendable {
        case proxy(ProxyResponder)
        case full(FullResponder, LeaseJournal)
    }

    private let interface: String?
    private let mode: Mode
    private let serverPort: Int
    private let proxyPort: Int
    private let director: any NetworkBootDirector
    private let logger: Logger
    private let now: @Sendable () -> Date

    /// - Parameters:
    ///   - interface: nil: every interface, for tests on loopback.
    ///   - serverPort: 67; another one for tests.
    ///   - proxyPort: 4011; served in proxy mode.
    public init(
        interface: String?, mode: Mode, serverPort: Int = 67, proxyPort: Int = 4011, director: any NetworkBootDirector,
        logger: Logger, now: @escaping @Sendable () -> Date = { Date() }
    ) {
        (self.interface, self.mode, self.serverPort, self.proxyPort) = (interface, mode, serverPort, proxyPort)
        (self.director, self.logger, self.now) = (director, logger, now)
    }

    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            switch mode {
            case .proxy(let responder):
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await serveProxy(responder, on: .server, port: serverPort) }
                    group.addTask { try await serveProxy(responder, on: .proxy, port: proxyPort) }
                    try await group.waitForAll()
                }
            case .full(let responder, let journal):
                try await serveFull(responder, journal)
            }
        }
    }

    private func serveProxy(_ responder: ProxyResponder, on port: ProxyResponder.Port, port number: Int) async throws {
        let channel = try await DHCPSocket.bind(
            interface: interface, port: number, on: MultiThreadedEventLoopGroup.singleton)
        logger.info("proxyDHCP", metadata: ["interface": "\(interface ?? "any")", "port": "\(number)"])
        var malformed = MalformedLog(service: "dhcp")
        var unserved = UnservedLog()
        try await channel.executeThenClose { inbound, outbound in
            for try await envelope in inbound {
                guard let (request, client) = parse(envelope, &malformed) else { continue }
                let action = director.action(for: client)
                unserved.note(request, action, files: responder.files, logger: logger)
                let source = (
                    address: IPv4Address(envelope.remoteAddress.ipAddress ?? "") ?? .unspecified,
                    port: envelope.remoteAddress.port ?? 68
                )
                let reply = responder.reply(to: request, on: port, from: source, action: action)
                // A request is meant for the other server, and says which address the client got from it.
                if reply != nil || request.type == .request { traceRequest(request, client) }
                guard let reply else { continue }
                try await send(reply, outbound)
                traceReply(reply, client)
            }
        }
    }

    private func serveFull(_ initial: FullResponder, _ journal: LeaseJournal) async throws {
        let channel = try await DHCPSocket.bind(
            interface: interface, port: serverPort, on: MultiThreadedEventLoopGroup.singleton)
        logger.info("DHCP", metadata: ["interface": "\(interface ?? "any")", "port": "\(serverPort)"])
        var responder = initial
        var malformed = MalformedLog(service: "dhcp")
        var unserved = UnservedLog()
        try await channel.executeThenClose { inbound, outbound in
            try await withThrowingDiscardingTaskGroup { group in
                for try await envelope in inbound {
                    guard let (request, client) = parse(envelope, &malformed) else { continue }
                    let action = director.action(for: client)
                    unserved.note(request, action, files: responder.files, logger: logger)
                    let outcome = responder.handle(request, action: action, now: now())
                    guard let lease = outcome.lease else {
                        if let reply = outcome.reply {
                            traceRequest(request, client)
                            try await send(reply, outbound)
                            traceReply(reply, client)
                        }
                        continue
                    }
                    traceRequest(request, client)
                    // Only the ACK waits for the disk; the next packet does not.
                    group.addTask {
                        do {
                            try await journal.append(lease)
                        } catch {
                            logger.error(
                                "no ACK: the lease is not durable",
                                metadata: ["mac": "\(client.mac)", "error": "\(error)"])
                            return
                        }
                        guard let reply = outcome.reply else { return }
                        try await send(reply, outbound)
                        traceReply(reply, client)
                    }
                }
            }
        }
    }

    private func parse(
        _ envelope: AddressedEnvelope<ByteBuffer>, _ malformed: inout MalformedLog
    ) -> (Message, BootClient)? {
        Counter(label: "dhcp.packets").increment()
        do {
            let message = try Message(parsing: envelope.data.readableBytesView)
            guard let client = message.bootClient() else { return nil }
            return (message, client)
        } catch {
            malformed.note(from: envelope.remoteAddress.ipAddress ?? "unknown", "\(error)", logger: logger)
            return nil
        }
    }

    private func send(_ reply: Reply, _ outbound: NIOAsyncChannelOutboundWriter<AddressedEnvelope<ByteBuffer>>)
        async throws
    {
        let (address, port): (IPv4Address, Int) =
            switch reply.destination {
            case .broadcast: (.broadcast, 68)
            case .unicast(let address, let port): (address, port)
            }
        do {
            let destination = try SocketAddress(ipAddress: address.description, port: port)
            try await outbound.write(
                AddressedEnvelope(remoteAddress: destination, data: ByteBuffer(bytes: reply.message.encoded)))
        } catch let error as IOError {
            // A link that is down for a moment must not end the service.
            logger.warning("DHCP answer not sent", metadata: ["to": "\(address)", "error": "\(error)"])
        }
    }

    private func traceRequest(_ request: Message, _ client: BootClient) {
        let step: BootTraceEvent.Step =
            request.type == .discover
            ? .discover(stage: client.stage, architecture: client.architecture) : .request(stage: client.stage)
        // In proxy mode the address is another server's, and this is where it is seen.
        var address: IPv4Address?
        if case .proxy = mode, request.type == .request {
            address = request.ciaddr == .unspecified ? request.requestedAddress : request.ciaddr
        }
        director.record(BootTraceEvent(time: now(), mac: client.mac, address: address, step: step))
    }

    private func traceReply(_ reply: Reply, _ client: BootClient) {
        let address = reply.message.yiaddr == .unspecified ? nil : reply.message.yiaddr
        let file = reply.message.options[.bootFileName].map { String(decoding: $0, as: UTF8.self) }
        switch reply.message.type {
        case .offer:
            director.record(BootTraceEvent(time: now(), mac: client.mac, step: .offer(address: address, file: file)))
        case .ack:
            director.record(
                BootTraceEvent(time: now(), mac: client.mac, step: .acknowledge(address: address, file: file)))
        default: break
        }
    }
}
