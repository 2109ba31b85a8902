import Crypto
import FoundationEssentials

/// The public key of wipe certificates as a file that other programs read: SubjectPublicKeyInfo in PEM (RFC 8410 §4).
public enum CertificateKey {
    /// SEQUENCE of AlgorithmIdentifier id-Ed25519 and BIT STRING of 32 bytes: the same for every Ed25519 key.
    private static let header: [UInt8] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]

    public static func pem(_ key: Curve25519.Signing.PublicKey) -> String {
        let text = Data(header + Array(key.rawRepresentation)).base64EncodedString()
        return "-----BEGIN PUBLIC KEY-----\n\(text)\n-----END PUBLIC KEY-----\n"
    }

    /// - Returns: nil: it is no Ed25519 public key.
    public static func read(_ pem: String) -> Curve25519.Signing.PublicKey? {
        let lines = pem.split(whereSeparator: \.isNewline)
        guard lines.first == "-----BEGIN PUBLIC KEY-----", lines.last == "-----END PUBLIC KEY-----",
            let bytes = Data(base64Encoded: lines.dropFirst().dropLast().joined()).map(Array.init),
            bytes.count == header.count + 32, bytes.starts(with: header)
        else { return nil }
        return try? Curve25519.Signing.PublicKey(rawRepresentation: bytes.dropFirst(header.count))
    }
}
