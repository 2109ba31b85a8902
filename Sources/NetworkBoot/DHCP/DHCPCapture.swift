import DHCP
import Foundation
import Logging
import NIOCore
import NetworkAddresses

/// Serves one interface by capture and injection, where another program of this host has the port: the desk decides as for a socket.
struct DHCPCapture {
    let capture: PacketCapture
    let port: Arrival.Port
    /// Its UDP number.
    let number: Int
    /// Ours, where an answer names none.
    let server: NetworkAddresses.IPv4Address

    /// Until it is cancelled, or the interface goes away.
    func run(_ desk: NIOLoopBound<DHCPDesk>, on loop: any EventLoop) async throws {
        let (frames, frame) = AsyncStream.makeStream(of: DatagramFrame.self, bufferingPolicy: .bufferingOldest(1024))
        let capture = capture
        let ended = loop.makePromise(of: Void.self)
        Thread.detachNewThread {
            ended.completeWith(Result { try capture.run { frame.yield($0) } })
            frame.finish()
        }
        await withTaskCancellationHandler {
            for await frame in frames {
                // One after another: a flood fills the stream, which is bounded, and not the loop's queue.
                try? await loop.submit { take(frame, desk.value) }.get()
            }
        } onCancel: {
            capture.end()
        }
        try await ended.futureResult.get()
    }

    private func take(_ frame: DatagramFrame, _ desk: DHCPDesk) {
        let arrival = Arrival(
            port: port, interface: capture.interface, source: (frame.source.address, Int(frame.source.port)))
        let (capture, number, server) = (capture, number, server)
        desk.take(frame.payload, arrival) { packet in
            let from = DatagramFrame.End(
                mac: capture.mac, address: packet.server ?? server, port: UInt16(number))
            let to: DatagramFrame.End =
                switch packet.destination {
                case .broadcast: .init(mac: MACAddress(rawValue: 0xffff_ffff_ffff), address: .broadcast, port: 68)
                // The frame goes back to whoever sent it: the client, its relay, or the router before that.
                case .unicast(let address, let port): .init(mac: frame.source.mac, address: address, port: UInt16(port))
                }
            capture.send(DatagramFrame(from: from, to: to, packet.bytes))
        }
    }
}
