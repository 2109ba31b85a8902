import Machines
import SwiftASN1
import WireBytes

/// Who signed a boot program: what Secure Boot compares with the firmware's `db`. Pure, and total on any bytes.
enum ProgramSignature {
    private struct Malformed: Error {}

    /// The authorities that issued the signers' certificates, by their common names.
    /// - Returns: none for a program that nobody signed; nil for what is no EFI program.
    static func authorities(of program: [UInt8]) -> [String]? {
        guard let table = try? certificateTable(of: program) else { return nil }
        return certificates(in: table).flatMap { (try? issuers(ofSignedData: $0)) ?? ["an unknown authority"] }
    }

    /// The attribute certificate table (PE/COFF specification, "Attribute Certificate Table"); empty when there is none.
    private static func certificateTable(of program: [UInt8]) throws -> ArraySlice<UInt8> {
        var dos = ByteReader(program)
        guard try dos.take(2, "DOS signature") == Array("MZ".utf8) else { throw Malformed() }
        _ = try dos.slice(0x3a, "DOS header")
        var reader = ByteReader(program)
        _ = try reader.slice(Int(dos.uint32LE("offset of the header")), "DOS program")
        guard try reader.take(4, "PE signature") == Array("PE".utf8) + [0, 0] else { throw Malformed() }
        _ = try reader.slice(20, "COFF header")
        // The directories are behind the fields of PE32 (10Bh) or PE32+ (20Bh), the number of them before; the fifth is ours.
        let fields = try reader.uint16LE("kind") == 0x20b ? 108 : 92
        _ = try reader.slice(fields - 2, "optional header")
        guard try reader.uint32LE("directories") > 4 else { return [] }
        _ = try reader.slice(4 * 8, "directories")
        let (offset, size) = (Int(try reader.uint32LE("table")), Int(try reader.uint32LE("size")))
        guard size > 0 else { return [] }
        var file = ByteReader(program)
        _ = try file.slice(offset, "program")
        return try file.slice(size, "certificates")
    }

    /// Contents of the table's entries that are PKCS #7 (WIN_CERTIFICATE with type 2), each at a multiple of eight bytes.
    private static func certificates(in table: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var reader = ByteReader(table)
        var found: [ArraySlice<UInt8>] = []
        while let length = try? Int(reader.uint32LE("length")), (try? reader.uint16LE("revision")) != nil,
            let kind = try? reader.uint16LE("type"), length >= 8, let content = try? reader.slice(length - 8, "content")
        {
            if kind == 2 { found.append(content) }
            guard (try? reader.slice((8 - length % 8) % 8, "padding")) != nil else { break }
        }
        return found
    }

    /// SignedData (RFC 5652 §5.1): the issuer that each SignerInfo names.
    private static func issuers(ofSignedData bytes: ArraySlice<UInt8>) throws -> [String] {
        let content = try children(BER.parse(withoutPadding(bytes)))
        guard let signed = content.last.flatMap({ try? children($0) })?.first, let signers = try children(signed).last
        else { throw Malformed() }
        return try children(signers).map { signer in
            // version, issuerAndSerialNumber: issuer, serialNumber
            let fields = try children(signer)
            guard fields.count > 1, let name = try children(fields[1]).first else { throw Malformed() }
            return try commonName(of: name)
        }
    }

    /// Name (RFC 5280 §4.1.2.4): sets of pairs, of which that of type 2.5.4.3 is wanted.
    private static func commonName(of name: ASN1Node) throws -> String {
        let wanted: ASN1ObjectIdentifier = [2, 5, 4, 3]
        for pair in try children(name).flatMap({ try children($0) }).map({ try children($0) }) where pair.count == 2 {
            guard try ASN1ObjectIdentifier(derEncoded: pair[0]) == wanted, case .primitive(let text) = pair[1].content
            else { continue }
            return String(decoding: text, as: UTF8.self).printable
        }
        return "an authority without a name"
    }

    private static func children(_ node: ASN1Node) throws -> [ASN1Node] {
        guard case .constructed(let nodes) = node.content else { throw Malformed() }
        return Array(nodes)
    }

    /// Entries are filled up with zeros.
    private static func withoutPadding(_ bytes: ArraySlice<UInt8>) throws -> ArraySlice<UInt8> {
        var reader = ByteReader(bytes)
        _ = try reader.uint8("tag")
        var length = Int(try reader.uint8("length"))
        if length & 0x80 != 0 {
            length = try reader.take(min(length & 0x7f, 4), "length").reduce(0) { $0 << 8 | Int($1) }
        }
        return bytes.prefix(reader.offset + length)
    }
}
