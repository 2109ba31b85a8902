import NetworkAddresses
import TestSupport
import Testing

@testable import NetworkBoot

@Suite struct DatagramFrameTests {
    static let frame = DatagramFrame(
        from: .init(mac: MACAddress(rawValue: 0x0200_0000_0001), address: IPv4Address(10, 0, 0, 1), port: 67),
        to: .init(mac: MACAddress(rawValue: 0xffff_ffff_ffff), address: .broadcast, port: 68), [1, 2, 3])

    @Test("what is written is read again, to its length and not to the padding of the wire")
    func roundTrip() {
        #expect(DatagramFrame(parsing: Self.frame.encoded) == Self.frame)
        #expect(DatagramFrame(parsing: Self.frame.encoded + Array(repeating: 0, count: 20)) == Self.frame)
    }

    @Test("sums over what they cover, with themselves, are all ones (RFC 1071)")
    func sums() {
        func sum(_ bytes: some Sequence<UInt8>) -> Int {
            var (total, high) = (0, true)
            for byte in bytes {
                total += high ? Int(byte) << 8 : Int(byte)
                high.toggle()
            }
            while total >> 16 != 0 { total = (total & 0xffff) + (total >> 16) }
            return total
        }
        let bytes = Self.frame.encoded
        #expect(sum(bytes[14..<34]) == 0xffff)
        // Addresses, protocol and length, then the datagram.
        #expect(sum(Array(bytes[26..<34]) + [0, 17, 0, 11] + bytes[34...]) == 0xffff)
    }

    @Test("other frames, cut ones and pieces are nothing")
    func others() {
        let good = Self.frame.encoded
        for length in 0..<good.count { #expect(DatagramFrame(parsing: good.prefix(length)) == nil) }
        for (index, byte) in [(12, 0x86), (14, 0x65), (14, 0x44), (20, 0x20), (21, 0x01), (23, 6), (39, 200)]
            as [(Int, UInt8)]
        {
            var bad = good
            bad[index] = byte
            #expect(DatagramFrame(parsing: bad) == nil, "\(index)")
        }
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<5000 {
            var bytes = good
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            _ = DatagramFrame(parsing: bytes)
        }
    }
}
