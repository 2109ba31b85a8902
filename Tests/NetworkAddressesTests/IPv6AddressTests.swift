import Foundation
import NetworkAddresses
import Testing

@Suite struct IPv6AddressTests {
    @Test("what the C library reads and writes, we read and write too")
    func system() throws {
        var generator = SystemRandomNumberGenerator()
        for round in 0..<2000 {
            // Half of the groups are zero, so that `::` has something to choose from.
            let groups = (0..<8).map { _ in
                Bool.random(using: &generator)
                    ? 0 : UInt16.random(in: 0...(round % 2 == 0 ? 15 : .max), using: &generator)
            }
            let bytes = groups.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
            let address = try #require(IPv6Address(bytes: bytes))
            var text = [CChar](repeating: 0, count: 64)
            inet_ntop(AF_INET6, bytes, &text, 64)
            let theirs = String(decoding: text.prefix { $0 != 0 }.map { UInt8($0) }, as: UTF8.self)
            // It writes the last four bytes of addresses that begin with zeros in the manner of IPv4.
            if !theirs.contains(".") { #expect(address.description == theirs) }
            #expect(IPv6Address(address.description) == address && address.bytes == bytes)
        }
    }

    @Test(
        "no addresses",
        arguments: [
            "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "fe80::1%eth0",
            "::1/64",
            ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "+1::", "1:2:3:4::5:6:7:8", "::10.0.0.1",
        ])
    func bad(text: String) { #expect(IPv6Address(text) == nil) }

    @Test("a MAC in an address, and of which link it is")
    func hardware() throws {
        let own = try #require(IPv6Address("fe80::216:3eff:fe00:61"))
        #expect(own.isLinkLocal && own.hardwareAddress == MACAddress("00:16:3e:00:00:61"))
        let global = try #require(IPv6Address("fd00:77::1"))
        #expect(!global.isLinkLocal && global.hardwareAddress == nil)
        #expect(IPv6Address("ff02::1:2")?.isMulticast == true)
    }
}
