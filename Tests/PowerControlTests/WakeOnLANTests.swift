import Machines
import NIOCore
import NIOPosix
import NetworkAddresses
import Synchronization
import TestSupport
import Testing

@testable import PowerControl

/// Machines without a BMC are woken by their NICs.
@Suite struct WakeOnLANTests {
    private final class Ear: ChannelInboundHandler, Sendable {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        let heard = Mutex<[[UInt8]]>([])

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = Array(unwrapInboundIn(data).data.readableBytesView)
            heard.withLock { $0.append(bytes) }
        }
    }

    @Test("six bytes FFh and the address sixteen times, to each NIC, three times")
    func packets() async throws {
        let ear = Ear()
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { $0.pipeline.addHandler(ear) }.bind(host: "127.0.0.1", port: 0).get()
        var bmc = BMCAccess(
            kind: .wakeOnLAN, address: "127.0.0.1", port: channel.localAddress?.port, username: "", password: "")
        bmc.nics = [MACAddress(rawValue: 0x0016_3e00_0001), MACAddress(rawValue: 0x0016_3e00_0002)]
        let state = try await WakeOnLANController().perform(.on, on: bmc)
        #expect(state == .unknown, "nobody says that it came up")
        let wanted = bmc.nics.map { nic in
            [UInt8](repeating: 0xff, count: 6) + Array(repeating: nic.bytes, count: 16).flatMap { $0 }
        }
        #expect(await eventually { ear.heard.withLock { $0.count } == 6 })
        for packet in wanted { #expect(ear.heard.withLock { $0.count { $0 == packet } } == 3) }
        try await channel.close()
    }

    @Test("it cannot do more, and needs a NIC")
    func limits() async throws {
        var bmc = BMCAccess(kind: .wakeOnLAN, address: "127.0.0.1", username: "", password: "")
        for action in [PowerAction.on, .off, .cycle, .reset] {
            let error = await #expect(throws: BMCError.self) {
                try await WakeOnLANController().perform(action, on: bmc)
            }
            #expect(error?.reason == (action == .on ? .refused : .unsupported))
            bmc.nics = []
        }
        let power = try await WakeOnLANController().power(of: bmc)
        #expect(power == .unknown)
    }
}
