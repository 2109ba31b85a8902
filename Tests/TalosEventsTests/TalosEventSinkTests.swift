import Foundation
import GRPCCore
import Logging
import NIOCore
import NIOPosix
import NetworkAddresses
import OperatingSystems
import ServiceLifecycle
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing

@testable import TalosEvents

@Suite struct TalosEventSinkTests {
    /// Notes what it hears, and takes it or not.
    final class Ear: TalosListener {
        struct Broken: Error {}

        let heard = Mutex<[TalosEvent]>([])
        let addresses = Mutex<Set<IPAddress>>([])
        let answers: Bool?

        /// - Parameter answers: nil: it fails.
        init(answers: Bool? = true) { self.answers = answers }

        func hear(_ event: TalosEvent, from address: IPAddress) async throws -> Bool {
            heard.withLock { $0.append(event) }
            addresses.withLock { _ = $0.insert(address) }
            guard let answers else { throw Broken() }
            return answers
        }
    }

    /// A sink that runs while the body does.
    static func with(
        _ ear: Ear = Ear(), _ change: (inout TalosEventSink.Limits) -> Void = { _ in },
        _ body: @Sendable (Int) async throws -> Void
    ) async throws {
        var limits = TalosEventSink.Limits()
        change(&limits)
        let port = FreePort.tcp()
        let sink = TalosEventSink(
            address: "127.0.0.1", port: port, limits: limits, listener: ear, logger: Logger(label: "test"))
        let group = ServiceGroup(services: [sink], logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try #require(await Self.answers(port))
            do {
                try await body(port)
            } catch {
                tasks.cancelAll()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    static func answers(_ port: Int) async -> Bool {
        await eventually(within: .seconds(20)) {
            guard
                let channel = try? await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                    .connect(host: "127.0.0.1", port: port).get()
            else { return false }
            try? await channel.close()
            return true
        }
    }

    @Test("what a machine tells is heard, with the address that it comes from")
    func events() async throws {
        let ear = Ear()
        var waits = Machine_MachineStatusEvent()
        waits.stage = .running
        var condition = Machine_MachineStatusEvent.MachineStatus.UnmetCondition()
        (condition.name, condition.reason) = ("nodeReady", "node \"n\" is not ready")
        waits.status.unmetConditions = [condition]
        var ready = waits
        (ready.status.ready, ready.status.unmetConditions) = (true, [])
        var failed = Machine_SequenceEvent()
        (failed.sequence, failed.error.message) = ("install", "task failed")
        var service = Machine_ServiceStateEvent()
        (service.service, service.action, service.message) = ("kubelet", .failed, "no image")
        let events: [any SwiftProtobuf.Message] = [
            waits, ready, Machine_ConfigLoadErrorEvent.with { $0.error = "no route" },
            Machine_ConfigValidationErrorEvent.with { $0.error = "no disk" }, failed, service,
        ]
        try await Self.with(ear) { port in
            try await TalosPeer.with(port: port) { peer in
                for event in events { expect(try await peer.tell(event), nil) }
            }
        }
        #expect(
            ear.heard.withLock { $0 } == [
                .status(.running, ready: false, unmet: [.init(name: "nodeReady", reason: "node \"n\" is not ready")]),
                .status(.running, ready: true, unmet: []), .configurationRefused("no route"),
                .configurationRefused("no disk"), .sequenceFailed("install", error: "task failed"),
                .serviceFailed("kubelet", message: "no image"),
            ])
        #expect(ear.addresses.withLock { $0 } == [IPAddress("127.0.0.1")])
    }

    @Test("what does not count is taken and passed over, and so is what is not what it says")
    func passedOver() async throws {
        let ear = Ear()
        try await Self.with(ear) { port in
            try await TalosPeer.with(port: port) { peer in
                expect(try await peer.tell("machine.PhaseEvent", Data([0x0a, 0x04])), nil)
                expect(try await peer.tell("machine.MachineStatusEvent", Data([0xff, 0xff, 0xff])), nil)
                expect(try await peer.tell("", Data()), nil)
                expect(try await peer.tell(Machine_SequenceEvent.with { $0.sequence = "boot" }), nil)
                let locked = Machine_SequenceEvent.with {
                    $0.error = .with { ($0.code, $0.message) = (.locked, "another is under way") }
                }
                expect(try await peer.tell(locked), nil)
                let running = Machine_ServiceStateEvent.with { ($0.service, $0.action) = ("kubelet", .running) }
                expect(try await peer.tell(running), nil)
                // A stage of a later Talos.
                expect(try await peer.tell("machine.MachineStatusEvent", Data([0x08, 0x63])), nil)
                // Nothing at all, and no message.
                expect(try await peer.send([], to: EventSinkService.publish), nil)
                expect(try await peer.send([0x0a, 0xff], to: EventSinkService.publish), .invalidArgument)
                let other = MethodDescriptor(fullyQualifiedService: "machine.MachineService", method: "Reset")
                expect(try await peer.send([], to: other), .unimplemented)
            }
        }
        #expect(ear.heard.withLock { $0 }.isEmpty)
    }

    @Test("random bytes for messages are answered, whatever they are")
    func random() async throws {
        try await Self.with { port in
            try await TalosPeer.with(port: port) { peer in
                var generator = SystemRandomNumberGenerator()
                for _ in 0..<300 {
                    let bytes = (0..<Int.random(in: 0...80)).map { _ in UInt8.random(in: 0...255, using: &generator) }
                    let code = try await peer.send(bytes, to: EventSinkService.publish)
                    #expect(code == nil || code == .invalidArgument)
                    let name = ["MachineStatusEvent", "SequenceEvent", "ServiceStateEvent"].randomElement() ?? ""
                    expect(try await peer.tell("machine." + name, Data(bytes)), nil)
                }
            }
        }
    }

    @Test("a machine that told too much, or when the store was away, is to tell it again")
    func again() async throws {
        let event = Machine_ConfigLoadErrorEvent.with { $0.error = "x" }
        try await Self.with(Ear(answers: false)) { port in
            let code = try await TalosPeer.tell(event, port: port)
            #expect(code == .resourceExhausted)
        }
        try await Self.with(Ear(answers: nil)) { port in
            let code = try await TalosPeer.tell(event, port: port)
            #expect(code == .unavailable)
        }
    }

    @Test("an event larger than any of Talos' is refused before it is read")
    func large() async throws {
        let ear = Ear()
        try await Self.with(ear) { port in
            try await TalosPeer.with(port: port) { peer in
                let large = Machine_ConfigLoadErrorEvent.with { $0.error = String(repeating: "x", count: 1 << 20) }
                let refusal = try await peer.tell(large)
                #expect(refusal != nil)
                expect(try await peer.tell(Machine_ConfigLoadErrorEvent.with { $0.error = "small" }), nil)
            }
        }
        #expect(ear.heard.withLock { $0 } == [.configurationRefused("small")])
    }

    /// Sends bytes and waits until the other side closes.
    static func isClosed(_ bytes: [UInt8], port: Int, within seconds: Int64) async throws -> Bool {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port).get()
        try? await channel.writeAndFlush(ByteBuffer(bytes: bytes))
        return await eventually(within: .seconds(seconds)) { !channel.isActive }
    }

    @Test("who speaks no HTTP/2, says nothing, or half a call, is sent away, and others are served meanwhile")
    func slow() async throws {
        try await Self.with { limits in
            (limits.idle, limits.age, limits.grace) = (.seconds(1), .seconds(2), .seconds(1))
        } _: { port in
            #expect(try await Self.isClosed(Array("GET / HTTP/1.1\r\n\r\n".utf8), port: port, within: 20))
            #expect(try await Self.isClosed([], port: port, within: 20))
            let garbage = (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 167) }
            #expect(try await Self.isClosed(garbage, port: port, within: 20))
            // The preface, its settings, and the beginning of a HEADERS frame.
            let half =
                Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0] + [
                    0, 0x10, 0, 1, 0, 0, 0, 0, 1,
                ]
            async let isClosed = Self.isClosed(half, port: port, within: 30)
            try await TalosPeer.with(port: port) { peer in
                expect(try await peer.tell(Machine_ConfigLoadErrorEvent.with { $0.error = "x" }), nil)
            }
            #expect(try await isClosed)
        }
    }

    @Test("connections of one address are bounded, and end as they began")
    func connections() async throws {
        try await Self.with {
            $0.connectionsPerAddress = 4
        } _: { port in
            var open: [any Channel] = []
            for _ in 0..<5 {
                open.append(
                    try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                        .connect(host: "127.0.0.1", port: port).get())
            }
            // Not always the last: they are taken in by several threads.
            #expect(await eventually(within: .seconds(20)) { open.count { !$0.isActive } == 1 })
            // Torn off, not closed.
            for channel in open where channel.isActive {
                try await (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
                try await channel.close()
            }
            #expect(
                try await eventually(within: .seconds(20)) {
                    try await TalosPeer.tell(Machine_ConfigLoadErrorEvent.with { $0.error = "x" }, port: port) == nil
                })
        }
    }

    @Test("a port that is taken is told with its number")
    func taken() async throws {
        try await Self.with { port in
            let second = TalosEventSink(
                address: "127.0.0.1", port: port, listener: Ear(), logger: Logger(label: "test"))
            await #expect {
                try await ServiceGroup(services: [second], logger: Logger(label: "test")).run()
            } throws: { "\($0)".contains("cannot listen on 127.0.0.1:\(port)") }
        }
    }

    @Test("gRPC's own client in Python is heard as well")
    func python() async throws {
        let ear = Ear()
        try await Self.with(ear) { port in
            let run = try await ChildProcess.run(
                try PythonPeer.path("python3"), ["-c", Self.publisher, "127.0.0.1:\(port)"],
                environment: PythonPeer.environment)
            #expect(run.status == 0 && run.output.contains("taken"), "\(run.output)")
        }
        #expect(ear.heard.withLock { $0 } == [.status(.running, ready: true, unmet: [])])
    }

    /// `machine.MachineStatusEvent` with stage RUNNING and ready, by hand.
    static let publisher = """
        import sys, grpc
        def field(number, value): return bytes([number << 3 | 2, len(value)]) + value
        event = bytes([0x08, 4]) + field(2, bytes([0x08, 1]))
        data = field(1, b"type.googleapis.com/machine.MachineStatusEvent") + field(2, event)
        with grpc.insecure_channel(sys.argv[1]) as channel:
            publish = channel.unary_unary("/events.EventSinkService/Publish")
            print("taken", publish(field(1, data) + field(2, b"ceqpsv3q8ds0"), timeout=20))
        """
}
