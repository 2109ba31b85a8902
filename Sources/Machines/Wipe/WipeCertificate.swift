import Crypto
import FoundationEssentials

/// Proof of a wipe: the exact bytes that were signed, and an Ed25519 signature of the installation's certificate key. The certificates of an installation are
/// one chain: each names its number and the digest of the one before.
public struct WipeCertificate: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "wipe-certificate"

    /// Sorts by number.
    public let id: String
    /// JSON of a ``WipeStatement``: keys sorted, nothing between the tokens.
    public let payload: Data
    /// Over ``domain`` and the payload.
    public let signature: Data

    public init(id: String, payload: Data, signature: Data) {
        (self.id, self.payload, self.signature) = (id, payload, signature)
    }

    /// Signs `statement`.
    public init(_ statement: WipeStatement, with key: Curve25519.Signing.PrivateKey) throws {
        id = Self.id(statement.sequence)
        payload = try Self.encoder.encode(statement)
        signature = try key.signature(for: Self.domain + payload)
    }

    public static func id(_ sequence: Int) -> String {
        let digits = "\(sequence)"
        return "wipe-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    /// Put before the payload, so that no other signature of this installation can pass for a certificate's.
    public static let domain = Data("slipway-wipe-certificate-v1\n".utf8)

    /// SHA-256 of payload and signature, one after the other, as 64 hex digits: what the next certificate names.
    public var digest: String { Credential.hex(Array(SHA256.hash(data: payload + signature))) }

    /// `sha256:…` of a public key's 32 bytes: how a statement names the key that signs it.
    public static func name(of key: Curve25519.Signing.PublicKey) -> String {
        "sha256:" + Credential.hex(Array(SHA256.hash(data: key.rawRepresentation)))
    }

    /// What it says, whoever says it. To be believed it has to be ``CertificateChain/check(_:key:)``ed.
    /// - Throws: ``CertificateFault`` `unreadable`.
    public func statement() throws(CertificateFault) -> WipeStatement {
        do {
            return try Self.decoder.decode(WipeStatement.self, from: payload)
        } catch {
            throw .unreadable(id)
        }
    }

    /// What it says, if the holder of `key` says so.
    public func statement(signedBy key: Curve25519.Signing.PublicKey) throws(CertificateFault) -> WipeStatement {
        guard key.isValidSignature(signature, for: Self.domain + payload) else {
            // Which key it names is nobody's word then, and still the likeliest reason.
            let (named, given) = ((try? statement())?.installation.key, Self.name(of: key))
            if let named, named != given { throw .otherKey(id, named: named, given: given) }
            throw .badSignature(id)
        }
        let statement = try statement()
        guard statement.format == WipeStatement.format else { throw .otherFormat(id, statement.format) }
        guard id == Self.id(statement.sequence) else { throw .otherNumber(id, statement.sequence) }
        return statement
    }

    static var encoder: JSONEncoder {
        let encoder = JSONEncoder.sorted
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(RFC3339.format(date))
        }
        return encoder
    }

    static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            guard let date = RFC3339.date(try container.decode(String.self)) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a time")
            }
            return date
        }
        return decoder
    }
}

/// The newest certificate of the installation. Read and advanced in the transaction that writes a certificate, so that two at once cannot
/// take one number.
public struct CertificateHead: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "certificate-head"
    public static let id = "head"

    public var id: String { Self.id }
    /// Number of the newest certificate; 0: there is none.
    public var sequence = 0
    /// Its digest.
    public var digest: String?

    public init() {}
}
