import Machines
import NIOCore
import NIOPosix
import NetworkAddresses

/// Turns machines on that have no BMC, by AMD's magic packet (publication 20213). Nothing answers it: that the machine came up is
/// seen when it boots.
struct WakeOnLANController: BMCController {
    /// Some switches drop the first packet to a port whose link has just come up at the low speed of standby.
    private static let copies = 3

    func perform(_ action: PowerAction, on bmc: BMCAccess) async throws -> PowerState {
        guard action == .on else { throw BMCError.unsupported(bmc, "power \(action.rawValue)") }
        guard !bmc.nics.isEmpty else {
            throw BMCError(
                address: bmc.address, doing: "wake on LAN", reason: .refused,
                "no NIC of the machine is known yet; turn it on by hand once")
        }
        do {
            let remote = try SocketAddress(ipAddress: bmc.address, port: bmc.port)
            let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelOption(.socketOption(.so_broadcast), value: 1)
                .bind(host: "0.0.0.0", port: 0).get()
            defer { channel.close(promise: nil) }
            for _ in 0..<Self.copies {
                for nic in bmc.nics {
                    let packet = ByteBuffer(bytes: Self.packet(nic))
                    try await channel.writeAndFlush(AddressedEnvelope(remoteAddress: remote, data: packet))
                }
            }
        } catch {
            throw BMCError(address: bmc.address, doing: "wake on LAN", reason: .unreachable, "\(error)")
        }
        return .unknown
    }

    /// Six bytes FFh, and the address sixteen times.
    static func packet(_ nic: MACAddress) -> [UInt8] {
        Array(repeating: 0xff, count: 6) + (0..<16).flatMap { _ in nic.bytes }
    }
}
