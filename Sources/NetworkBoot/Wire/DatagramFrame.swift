import NetworkAddresses
import WireBytes

/// A UDP datagram over IPv4 in its Ethernet frame, as it goes over the wire where there is no socket to send or receive it. Pure.
struct DatagramFrame: Equatable {
    /// MAC and IPv4 address with UDP port.
    struct End: Equatable {
        var mac: MACAddress
        var address: IPv4Address
        var port: UInt16
    }

    var source: End
    var destination: End
    var payload: [UInt8]

    init(from source: End, to destination: End, _ payload: [UInt8]) {
        (self.source, self.destination, self.payload) = (source, destination, payload)
    }

    /// Nil for everything else, fragments among it. Checksums are not looked at: a card may fill them in after us.
    init?(parsing frame: some Sequence<UInt8>) {
        var reader = ByteReader(frame)
        guard let to = MACAddress(bytes: (try? reader.take(6, "destination")) ?? []),
            let from = MACAddress(bytes: (try? reader.take(6, "source")) ?? []),
            (try? reader.uint16("type")) == 0x0800, let first = try? reader.uint8("version"), first >> 4 == 4,
            first & 15 >= 5, (try? reader.uint8("service")) != nil, let total = try? reader.uint16("length"),
            (try? reader.uint16("identification")) != nil, let fragment = try? reader.uint16("fragment"),
            fragment & 0x3fff == 0, (try? reader.uint8("time to live")) != nil,
            (try? reader.uint8("protocol")) == 17, (try? reader.uint16("checksum")) != nil,
            let sender = try? reader.uint32("source"), let receiver = try? reader.uint32("destination"),
            (try? reader.take(Int(first & 15) * 4 - 20, "options")) != nil,
            let sourcePort = try? reader.uint16("port"), let port = try? reader.uint16("port"),
            let length = try? reader.uint16("UDP length"), length >= 8, (try? reader.uint16("checksum")) != nil,
            Int(length) + Int(first & 15) * 4 <= Int(total),
            let payload = try? reader.take(Int(length) - 8, "payload")
        else { return nil }
        source = End(mac: from, address: IPv4Address(rawValue: sender), port: sourcePort)
        destination = End(mac: to, address: IPv4Address(rawValue: receiver), port: port)
        self.payload = payload
    }

    var encoded: [UInt8] {
        let length = UInt16(clamping: 8 + payload.count)
        var header = ByteWriter(capacity: 20)
        // Version 4, five words; no service class; not to be cut up (RFC 791 §3.1).
        header.uint16(0x4500)
        header.uint16(20 + length)
        header.uint16(0)
        header.uint16(0x4000)
        header.uint16(64 << 8 | 17)
        header.uint16(0)
        header.uint32(source.address.rawValue)
        header.uint32(destination.address.rawValue)
        let sum = Self.checksum(header.bytes)
        var datagram = ByteWriter(capacity: Int(length))
        for word in [source.port, destination.port, length, 0] { datagram.uint16(word) }
        datagram.append(payload)
        // RFC 768: over the addresses, the protocol and the length too; zero would mean that there is none.
        var pseudo = ByteWriter()
        pseudo.append(source.address.bytes + destination.address.bytes)
        for word in [17, length] as [UInt16] { pseudo.uint16(word) }
        let datagramSum = Self.checksum(pseudo.bytes + datagram.bytes)
        var frame = ByteWriter(capacity: 34 + Int(length))
        frame.append(destination.mac.bytes + source.mac.bytes)
        frame.uint16(0x0800)
        frame.append(header.bytes.prefix(10))
        frame.uint16(sum)
        frame.append(header.bytes.dropFirst(12))
        frame.append(datagram.bytes.prefix(6))
        frame.uint16(datagramSum == 0 ? 0xffff : datagramSum)
        frame.append(payload)
        return frame.bytes
    }

    /// RFC 1071.
    private static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt32(bytes[index]) << 8 | UInt32(index + 1 < bytes.count ? bytes[index + 1] : 0)
        }
        while sum >> 16 != 0 { sum = (sum & 0xffff) + (sum >> 16) }
        return ~UInt16(sum)
    }
}
