import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A simulated Redfish service on a TLS port of the loopback interface.
public final class RedfishSimulatorServer: Sendable {
    private let state: Mutex<SimulatedRedfish>
    private let certificate: Mutex<SimulatorCertificate>
    private let channel: any Channel
    private let streams = Mutex<[any Channel]>([])
    private let connected = Mutex(0)
    private let start = ContinuousClock.now

    /// Serves for the time of `body`.
    /// - Parameter port: 0 for a free one.
    public static func with<Result>(
        _ service: SimulatedRedfish, certificate: SimulatorCertificate? = nil, port: Int = 0,
        _ body: (RedfishSimulatorServer) async throws -> Result
    ) async throws -> Result {
        let server = try await RedfishSimulatorServer(service, certificate ?? .factory(), port: port)
        do {
            let result = try await body(server)
            await server.close()
            return result
        } catch {
            await server.close()
            throw error
        }
    }

    private init(_ service: SimulatedRedfish, _ certificate: SimulatorCertificate, port: Int) async throws {
        let owner = Owner()
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let server = owner.server.withLock({ $0 }) else { throw ChannelError.ioOnClosedChannel }
                    server.connected.withLock { $0 += 1 }
                    let context = try server.certificate.withLock { try $0.context() }
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(Service(server))
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
        state = Mutex(service)
        self.certificate = Mutex(certificate)
        self.owner = owner
        owner.server.withLock { $0 = self }
    }

    private let owner: Owner

    private final class Owner: Sendable { let server = Mutex<RedfishSimulatorServer?>(nil) }

    private func close() async {
        owner.server.withLock { $0 = nil }
        for stream in streams.withLock({ $0 }) { stream.close(promise: nil) }
        try? await channel.close()
    }

    public var port: Int { channel.localAddress?.port ?? 0 }

    public var shown: SimulatorCertificate { certificate.withLock { $0 } }

    /// The service as it is now.
    public var service: SimulatedRedfish { state.withLock { $0 } }

    /// Seconds of the simulator's clock.
    public var now: Double { (ContinuousClock.now - start) / .seconds(1) + 1 }

    public var powerState: String {
        let now = now
        return state.withLock { $0.powerState(at: now) }
    }

    public func change(_ body: @Sendable (inout SimulatedRedfish, _ now: Double) -> Void) {
        let now = now
        state.withLock { body(&$0, now) }
    }

    /// For connections from now on.
    public func use(_ other: SimulatorCertificate) { certificate.withLock { $0 = other } }

    /// How many connections there were.
    public var connections: Int { connected.withLock { $0 } }

    /// How many follow the events.
    public var followers: Int { streams.withLock { $0.count { $0.isActive } } }

    /// Sends an event to those who follow (Event schema).
    public func emit(_ message: String, severity: String = "OK", id: String) {
        let event: Value = [
            "Events": [
                [
                    "EventId": .string(id), "EventTimestamp": "2024-06-11T00:13:00-05:00", "Message": .string(message),
                    "MessageSeverity": .string(severity), "MessageId": "Alert.1.0.Something",
                ]
            ]
        ]
        let text = "id: \(id)\ndata: \(String(decoding: event.bytes, as: UTF8.self))\n\n"
        for stream in streams.withLock({ $0 }) {
            stream.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: text))), promise: nil)
        }
    }

    /// Ends the streams of events.
    public func hangUp() {
        for stream in streams.withLock({ list in
            defer { list = [] }; return list
        }) { stream.close(promise: nil) }
    }

    private final class Service: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let server: RedfishSimulatorServer
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []

        init(_ server: RedfishSimulatorServer) { self.server = server }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): (self.head, body) = (head, [])
            case .body(let buffer): body += buffer.readableBytesView
            case .end:
                guard let head else { return }
                let request = SimulatedRedfish.Request(
                    method: head.method.rawValue, target: head.uri,
                    headers: Dictionary(head.headers.map { ($0.name.lowercased(), $0.value) }) { $1 }, body: body)
                let now = server.now
                let (reply, isChunked) = server.state.withLock {
                    ($0.respond(to: request, at: now), $0.quirks.contains(.chunked))
                }
                write(reply, isChunked: isChunked, keepAlive: head.isKeepAlive, context: context)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func write(
            _ reply: SimulatedRedfish.Reply, isChunked: Bool, keepAlive: Bool, context: ChannelHandlerContext
        ) {
            var bytes = reply.body?.bytes ?? []
            if case .body(let text) = reply.fault { bytes = Array(text.utf8) }
            var headers = HTTPHeaders(reply.headers)
            headers.add(name: "OData-Version", value: "4.0")
            if reply.body != nil { headers.add(name: "Content-Type", value: "application/json") }
            switch reply.fault {
            case .silence?: return
            case .doneAndCut?: return context.close(promise: nil)
            case .cut(let count)?:
                headers.add(name: "Content-Length", value: "\(count + 1000)")
                send(context, reply.status, headers, [UInt8](repeating: 0x20, count: count))
                return context.close(promise: nil)
            case .drip?:
                headers.add(name: "Content-Length", value: "1000000")
                send(context, reply.status, headers, [0x20])
                return drip(context, [0x20], every: .milliseconds(20))
            case .flood?:
                send(context, reply.status, headers, [])
                return drip(context, [UInt8](repeating: 0x20, count: 1 << 20), every: .milliseconds(1))
            default: break
            }
            if reply.isStream {
                send(context, reply.status, headers, Array(": hello\n\n".utf8))
                let channel = context.channel
                return server.streams.withLock { $0.append(channel) }
            }
            if !isChunked, reply.status != 204 { headers.add(name: "Content-Length", value: "\(bytes.count)") }
            if !keepAlive { headers.add(name: "Connection", value: "close") }
            send(context, reply.status, headers, bytes)
            let channel = context.channel
            context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
                if !keepAlive { channel.close(promise: nil) }
            }
        }

        private func send(_ context: ChannelHandlerContext, _ status: Int, _ headers: HTTPHeaders, _ bytes: [UInt8]) {
            let head = HTTPResponseHead(
                version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: headers)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            if !bytes.isEmpty {
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
            }
            context.flush()
        }

        private func drip(_ context: ChannelHandlerContext, _ bytes: [UInt8], every pause: TimeAmount) {
            let channel = context.channel
            context.eventLoop.scheduleRepeatedTask(initialDelay: pause, delay: pause) { task in
                guard channel.isActive else { return task.cancel() }
                if channel.isWritable {
                    channel.writeAndFlush(
                        HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: bytes))), promise: nil)
                }
            }
        }
    }
}
