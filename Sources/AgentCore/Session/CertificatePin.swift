import Crypto
import FoundationEssentials
import Machines

/// Decides whether a server's certificates are the installation's: the CA's key is the pinned one, and it signed the leaf.
/// Dates are not looked at: racked servers come up in 1970. Pure, and total on hostile bytes.
enum CertificatePin {
    /// - Parameters:
    ///   - chain: DER of the certificates as the server sent them, its own first.
    ///   - pin: SHA-256 (hex) of the CA's SubjectPublicKeyInfo.
    static func accepts(_ chain: [[UInt8]], pin: String) -> Bool {
        guard let leaf = chain.first.flatMap({ Parsed(certificate: $0) }) else { return false }
        return chain.dropFirst().contains { bytes in
            guard let authority = Parsed(certificate: bytes),
                Credential.hex(Array(SHA256.hash(data: authority.publicKeyInfo))) == pin,
                let key = try? P256.Signing.PublicKey(derRepresentation: authority.publicKeyInfo),
                let signature = try? P256.Signing.ECDSASignature(derRepresentation: leaf.signature)
            else { return false }
            return key.isValidSignature(signature, for: leaf.signedPart)
        }
    }

    /// The three parts of a certificate (RFC 5280 §4.1) that matter here.
    struct Parsed {
        /// DER of `tbsCertificate`, header included.
        var signedPart: [UInt8]
        /// DER of `subjectPublicKeyInfo`, header included.
        var publicKeyInfo: [UInt8]
        /// Content of the signature's bit string.
        var signature: [UInt8]

        init?(certificate: [UInt8]) {
            var outer = DERWalker(certificate)
            guard let whole = outer.next(), whole.tag == 0x30 else { return nil }
            var parts = DERWalker(whole.content)
            guard let signed = parts.next(), signed.tag == 0x30, parts.next() != nil, let bits = parts.next(),
                bits.tag == 0x03,
                bits.content.first == 0
            else { return nil }
            signedPart = signed.whole
            signature = Array(bits.content.dropFirst())
            // [0] version (optional), serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo
            var fields = DERWalker(signed.content)
            guard var field = fields.next() else { return nil }
            if field.tag == 0xa0 {
                guard let serial = fields.next() else { return nil }
                field = serial
            }
            for _ in 0..<4 { guard fields.next() != nil else { return nil } }
            guard let key = fields.next(), key.tag == 0x30 else { return nil }
            publicKeyInfo = key.whole
        }
    }
}

/// Reads DER values one after the other (X.690). Nil at the end and at anything that does not fit.
struct DERWalker {
    struct Value {
        var tag: UInt8
        var content: [UInt8]
        /// With tag and length.
        var whole: [UInt8]
    }

    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func next() -> Value? {
        guard offset + 2 <= bytes.count else { return nil }
        let start = offset
        let tag = bytes[offset]
        var length = Int(bytes[offset + 1])
        var head = offset + 2
        if length >= 0x80 {
            let count = length & 0x7f
            guard (1...4).contains(count), head + count <= bytes.count else { return nil }
            length = bytes[head..<head + count].reduce(0) { $0 << 8 | Int($1) }
            head += count
        }
        guard length <= bytes.count - head else { return nil }
        offset = head + length
        return Value(tag: tag, content: Array(bytes[head..<offset]), whole: Array(bytes[start..<offset]))
    }
}
