import Foundation

/// The UDP payloads of a classic little-endian pcap of Ethernet frames: just enough for the fixtures.
enum Capture {
    struct Datagram {
        var source: UInt16
        var destination: UInt16
        var payload: [UInt8]
    }

    private static let ports: Set<UInt16> = [67, 68, 4011, 546, 547]

    /// DHCP datagrams of `Fixtures/NAME.pcap`, in order.
    static func dhcp(_ name: String) throws -> [Datagram] {
        guard let url = Bundle.module.url(forResource: name, withExtension: "pcap", subdirectory: "Fixtures") else {
            return []
        }
        let bytes = Array(try Data(contentsOf: url))
        var found: [Datagram] = []
        var offset = 24
        while offset + 16 <= bytes.count {
            let length = bytes[offset + 8..<offset + 12].reversed().reduce(0) { $0 << 8 | Int($1) }
            let frame = Array(bytes[offset + 16..<min(offset + 16 + length, bytes.count)])
            offset += 16 + length
            let isIPv6 = frame.count > 62 && frame[12] == 0x86 && frame[13] == 0xdd
            guard frame.count > 42, isIPv6 || (frame[12] == 8 && frame[13] == 0), frame[isIPv6 ? 20 : 23] == 17 else {
                continue
            }
            let header = isIPv6 ? 54 : 14 + Int(frame[14] & 0x0f) * 4
            func port(_ at: Int) -> UInt16 { UInt16(frame[header + at]) << 8 | UInt16(frame[header + at + 1]) }
            guard ports.contains(port(0)), ports.contains(port(2)) else { continue }
            let udpLength = Int(port(4))
            found.append(
                Datagram(
                    source: port(0), destination: port(2),
                    payload: Array(frame[(header + 8)..<min(header + udpLength, frame.count)])))
        }
        return found
    }

    static let names = [
        "arm64", "bios1", "biose1000", "proxybios", "proxyuefi", "sbproxy", "uefihttp", "uefiiperom", "uefipxe", "undi",
    ]
}
