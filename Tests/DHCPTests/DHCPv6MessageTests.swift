import DHCP
import NetworkAddresses
import TestSupport
import Testing
import WireBytes

/// The codec on what firmware really said: OVMF by PXE and by HTTP, iPXE that OVMF started, and iPXE's ROM on SeaBIOS.
@Suite struct DHCPv6MessageTests {
    static let captures = ["uefipxe6", "uefihttp6", "ipxe6stateless"]

    @Test("a captured message is read, and written as it was", arguments: captures)
    func captured(name: String) throws {
        let datagrams = try Capture.dhcp(name)
        #expect(!datagrams.isEmpty)
        for datagram in datagrams {
            let message = try DHCPv6Message(parsing: datagram.payload)
            #expect(message.encoded == datagram.payload)
            for length in 0..<datagram.payload.count {
                _ = try? DHCPv6Message(parsing: datagram.payload.prefix(length))
            }
        }
    }

    @Test("what firmware says of itself")
    func firmware() throws {
        let messages = try Capture.dhcp("uefipxe6").map { try DHCPv6Message(parsing: $0.payload) }
        // OVMF's own IPv6 asks first, because the router says that addresses are managed, and says nothing of booting.
        #expect(messages[0].type == .solicit && !messages[0].options.isNetworkBoot)
        let pxe = try #require(messages.first { $0.options.architecture != nil })
        #expect(pxe.type == .solicit && pxe.options.architecture == .efiX64 && pxe.options.isNetworkBoot)
        #expect(pxe.options.vendorClass?.hasPrefix("PXEClient:Arch:00007") ?? false)
        #expect(!pxe.options.isHTTPClient && !pxe.options.isIPXE && pxe.options.asks(for: .bootFileURL))
        // Without a UUID in SMBIOS it makes itself an identifier of its MAC and the time.
        #expect(pxe.options.identifierMAC == MACAddress("00:16:3e:00:00:61") && pxe.options.associations.count == 1)
        // Type 1, UNDI, and its version (RFC 5970 §3.4).
        #expect(pxe.options[.networkInterface]?.count == 3)
        let http = try DHCPv6Message(parsing: try #require(try Capture.dhcp("uefihttp6").first).payload)
        #expect(http.options.isHTTPClient && http.options.architecture == .efiX64HTTP)
        let stateless = try DHCPv6Message(parsing: try #require(try Capture.dhcp("ipxe6stateless").first).payload)
        #expect(
            stateless.type == .informationRequest && stateless.options.isIPXE && stateless.options.associations.isEmpty)
    }

    @Test("MACs in identifiers: of both forms, and of Ethernet only")
    func identifiers() {
        let mac = MACAddress(rawValue: 0x5254_0012_3456)
        for (bytes, expected) in [
            ([0, 1, 0, 1, 1, 2, 3, 4] + mac.bytes, mac), ([0, 3, 0, 1] + mac.bytes, mac),
            ([0, 3, 0, 32] + mac.bytes, nil),
            ([0, 3, 0, 1, 1, 2], nil), ([0, 2, 0, 0, 1, 87], nil),
        ] as [([UInt8], MACAddress?)] {
            var options = DHCPv6Options()
            options[.clientIdentifier] = bytes
            #expect(options.identifierMAC == expected)
        }
    }

    @Test("random bytes are an error or a message, and never a trap")
    func random() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0..<120, using: &generator)).map { _ in
                UInt8.random(in: 0...(Bool.random(using: &generator) ? 255 : 20), using: &generator)
            }
            guard let message = try? DHCPv6Message(parsing: bytes) else { continue }
            #expect(message.encoded == bytes)
            _ = (message.options.vendorClass, message.options.userClasses, message.options.associations)
        }
    }
}
