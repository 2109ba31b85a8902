import TFTP
import TestSupport
import Testing

@Suite struct PacketTests {
    @Test("reads OVMF's probe: tsize, blksize, windowsize (capture uefipxe, frame 12)")
    func request() throws {
        let wire: [UInt8] =
            [0, 1] + Array("ipxe.efi\0octet\0tsize\0".utf8) + Array("0\0blksize\0".utf8)
            + Array("1468\0windowsize\0".utf8)
            + Array("4\0".utf8)
        guard case .readRequest(let request) = try Packet(parsing: wire) else { throw Failure() }
        #expect(request.file == "ipxe.efi" && request.mode == "octet")
        #expect(request.options.map(\.name) == ["tsize", "blksize", "windowsize"])
        #expect(request.options.map(\.value) == ["0", "1468", "4"])
        #expect(Packet.readRequest(request).encoded == wire)
    }

    @Test(
        "every packet survives a round trip",
        arguments: [
            Packet.data(block: 7, [1, 2, 3]), .data(block: 65535, []), .acknowledgment(block: 0),
            .error(.fileNotFound, "no such file"),
            .optionAcknowledgment([("blksize", "1468")]), .readRequest(ReadRequest(file: "a/b")),
        ])
    func roundTrip(packet: Packet) throws { #expect(try Packet(parsing: packet.encoded) == packet) }

    @Test("NULs that pad a request are passed over, a string without its NUL is an error")
    func padding() throws {
        let padded = try Packet(parsing: [0, 1] + Array("x\0octet\0\0\0\0".utf8))
        #expect(padded == .readRequest(ReadRequest(file: "x")))
        #expect(throws: PacketError.self) { try Packet(parsing: [0, 1] + Array("x\0octet".utf8)) }
    }

    @Test("random bytes never trap")
    func random() {
        var generator = SeededGenerator(seed: 3)
        for length in 0..<2000 { _ = try? Packet(parsing: generator.bytes(length % 200)) }
    }

    struct Failure: Error {}
}

@Suite struct NegotiationTests {
    @Test(
        "options are granted within limits (RFC 2348, 2349, 7440)",
        arguments: [
            ([("blksize", "1468")], ["blksize=1468"]), ([("blksize", "65464")], ["blksize=1468"]),
            ([("blksize", "7")], []),
            ([("tsize", "0")], ["tsize=1000"]), ([("timeout", "0")], []), ([("timeout", "3")], ["timeout=3"]),
            ([("windowsize", "4")], ["windowsize=4"]), ([("windowsize", "65535")], ["windowsize=64"]),
            ([("windowsize", "0")], []),
            ([("unknown", "1")], []), ([("blksize", "abc")], []),
            ([("blksize", "512"), ("blksize", "1024")], ["blksize=512"]),
        ] as [([(String, String)], [String])])
    func grants(asked: [(String, String)], granted: [String]) {
        let request = ReadRequest(file: "f", options: asked.map { (name: $0.0, value: $0.1) })
        #expect(Negotiation(request, fileSize: 1000).acknowledged.map { "\($0.name)=\($0.value)" } == granted)
    }
}
