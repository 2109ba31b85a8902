import DHCP
import NetworkAddresses
import TestSupport
import Testing

@Suite struct MessageTests {
    @Test("every captured message decodes, and encodes to the same message", arguments: Capture.names)
    func captures(name: String) throws {
        let datagrams = try Capture.dhcp(name)
        #expect(!datagrams.isEmpty)
        for datagram in datagrams {
            let message = try Message(parsing: datagram.payload)
            #expect(try Message(parsing: message.encoded) == message)
        }
    }

    @Test("every truncation of a captured message is an error or a message, and never a trap")
    func truncations() throws {
        let payload = try #require(try Capture.dhcp("bios1").first).payload
        for length in 0..<240 {
            #expect(throws: MessageError.self) { try Message(parsing: payload.prefix(length)) }
        }
        for length in 240..<payload.count { _ = try? Message(parsing: payload.prefix(length)) }
    }

    @Test("random bytes and flipped bits never trap")
    func random() throws {
        var generator = SeededGenerator(seed: 2)
        for length in 0..<600 { _ = try? Message(parsing: generator.bytes(length)) }
        let payload = try #require(try Capture.dhcp("uefipxe").first).payload
        for _ in 0..<5000 {
            var broken = payload
            broken[Int.random(in: 0..<broken.count, using: &generator)] ^=
                1 << UInt8.random(in: 0..<8, using: &generator)
            _ = try? Message(parsing: broken)
        }
    }

    /// Found by `make fuzz`: the inner one stayed, and in what we wrote it turned `file` into options once more.
    @Test("option 52 inside a field that option 52 made options of means nothing")
    func overloadInOverload() throws {
        var bytes = Message(operation: .request, xid: 1, chaddr: [2, 0, 0, 0, 0, 1]).encoded
        bytes.replaceSubrange(240..<244, with: [52, 1, 1, 255])
        bytes.replaceSubrange(108..<115, with: [52, 1, 3, 12, 1, 0x61, 255])
        let message = try Message(parsing: bytes)
        #expect(message.options[.overload] == nil && message.options[.hostName] == [0x61] && message.file.isEmpty)
        #expect(try Message(parsing: message.encoded) == message)
    }

    @Test("reads what SeaBIOS with iPXE sends (capture bios1, frame 8)")
    func bios() throws {
        let message = try Message(parsing: try #require(try Capture.dhcp("bios1").first).payload)
        #expect(message.type == .discover)
        #expect(message.xid == 0x30a6_1922)
        #expect(message.mac == MACAddress("52:54:00:77:db:6e"))
        #expect(message.architecture == .biosX86)
        #expect(message.vendorClass == "PXEClient:Arch:00000:UNDI:002001")
        #expect(message.userClasses == ["iPXE"])
        #expect(message.isIPXE && message.isNetworkBoot && !message.wantsBroadcast)
        #expect(message.machineUUID == bytes("5fae6edbc3c2b04e807d8c22c0b0f27e"))
        #expect(message.options[.ipxe] != nil)
    }

    @Test("reads what OVMF sends for PXE and HTTP boot (captures uefipxe, uefihttp)")
    func uefi() throws {
        let pxe = try Message(parsing: try #require(try Capture.dhcp("uefipxe").first).payload)
        #expect(pxe.architecture == .efiX64)
        #expect(pxe.wantsBroadcast && pxe.isNetworkBoot && !pxe.isIPXE)
        #expect(pxe.options[.clientIdentifier] == nil)
        let http = try Message(parsing: try #require(try Capture.dhcp("uefihttp").first).payload)
        #expect(http.architecture == .efiX64HTTP)
        #expect(http.vendorClass == "HTTPClient:Arch:00016:UNDI:003000")
    }

    @Test(
        "reads user classes length-prefixed (RFC 3004) and plain",
        arguments: [
            ("0469505845", ["iPXE"]), ("69505845", ["iPXE"]), ("0161 026263", ["a", "bc"]), ("", []),
            ("ff61", ["\u{fffd}a"]),
        ])
    func userClasses(hex: String, names: [String]) {
        var message = Message(operation: .request, xid: 1, chaddr: [1, 2, 3, 4, 5, 6])
        message.options[.userClass] = bytes(hex)
        #expect(message.userClasses == names)
    }

    @Test("options in file and sname are read in that order (RFC 2131 §4.1)")
    func overload() throws {
        var payload = Message(operation: .reply, xid: 7, chaddr: [1, 2, 3, 4, 5, 6]).encoded
        let file = bytes("0c0161 ff"), sname = bytes("0c0162 ff")
        payload.replaceSubrange(108..<108 + file.count, with: file)
        payload.replaceSubrange(44..<44 + sname.count, with: sname)
        payload.replaceSubrange(240..<244, with: bytes("340103ff"))
        let message = try Message(parsing: payload)
        #expect(message.options[.hostName] == Array("ab".utf8))
        #expect(message.options[.overload] == nil)
        #expect(message.file.isEmpty && message.sname.isEmpty)
    }

    @Test("a message is never shorter than 300 bytes (RFC 1542 §2.1)")
    func minimum() { #expect(Message(operation: .reply, xid: 1, chaddr: []).encoded.count == 300) }
}
