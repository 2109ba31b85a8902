import Crypto
import FoundationEssentials
import Synchronization

/// A bearer token of the REST API. Only its hash is kept.
public struct AccessToken: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "token"

    public enum Role: String, Codable, Sendable {
        /// May do everything.
        case admin
        /// May read.
        case viewer
    }

    /// SHA-256 (hex) of the token.
    public let id: String
    public let name: String
    public let role: Role
    public let createdAt: Date
    public let expiresAt: Date?

    public init(id: String, name: String, role: Role, createdAt: Date, expiresAt: Date? = nil) {
        (self.id, self.name, self.role, self.createdAt, self.expiresAt) = (id, name, role, createdAt, expiresAt)
    }
}

/// A secret at rest: sealed with the installation's key, opened for one use.
public struct Secret: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "secret"

    public let id: String
    /// AES-256-GCM: nonce, ciphertext, tag; the id is authenticated with it.
    public let sealed: Data

    public init(id: String, sealed: Data) { (self.id, self.sealed) = (id, sealed) }

    /// The one that a machine's ATA drives are locked with while they erase themselves.
    public static func drives(of machine: String) -> String { "drives-" + machine }

    /// Seals `text` so that it opens under this id only.
    public init(id: String, text: String, key: SymmetricKey) throws {
        let box = try AES.GCM.seal(Data(text.utf8), using: key, authenticating: Data(id.utf8))
        guard let combined = box.combined else { throw CryptoKitError.incorrectParameterSize }
        self.init(id: id, sealed: combined)
    }

    /// - Throws: `CryptoKitError` when the key is another installation's or the record was altered.
    public func open(with key: SymmetricKey) throws -> String {
        let bytes = try AES.GCM.open(try AES.GCM.SealedBox(combined: sealed), using: key, authenticating: Data(id.utf8))
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Random names and secrets, and the hashes under which secrets are kept.
public enum Credential {
    /// A new secret of 256 random bits, as 64 hex digits.
    public static func random() -> String {
        SymmetricKey(size: .bits256).withUnsafeBytes { hex(Array($0)) }
    }

    /// SHA-256 of a secret's text, as 64 hex digits.
    public static func hash(_ secret: String) -> String { hex(Array(SHA256.hash(data: Data(secret.utf8)))) }

    /// A new resource id: a letter for its kind and 12 random hex digits.
    public static func identifier(_ prefix: String) -> String { prefix + "-" + random().prefix(12) }

    /// A new id that sorts by time and, within a millisecond, in the order of these calls: 12 hex digits of milliseconds since
    /// 1970, 6 of a count, and 4 random ones for the sake of other starts of the daemon.
    public static func timeOrdered(at now: Date) -> String {
        let count = made.wrappingAdd(1, ordering: .relaxed).newValue
        let milliseconds = UInt64(max(0, now.timeIntervalSince1970 * 1000))
        return padded(milliseconds, 12) + "-" + padded(count & 0xff_ffff, 6) + random().prefix(4)
    }

    private static let made = Atomic<UInt64>(0)

    private static func padded(_ number: UInt64, _ width: Int) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Lower-case hex digits of `bytes`.
    public static func hex(_ bytes: [UInt8]) -> String {
        let digits: StaticString = "0123456789abcdef"
        return String(unsafeUninitializedCapacity: bytes.count * 2) { text in
            for (index, byte) in bytes.enumerated() {
                text[2 * index] = digits.utf8Start[Int(byte >> 4)]
                text[2 * index + 1] = digits.utf8Start[Int(byte & 15)]
            }
            return bytes.count * 2
        }
    }

    /// The bytes of lower-case hex digits; nil for anything else, so that each row of bytes has one text.
    public static func bytes(hex text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in text.utf8 {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return high == nil ? bytes : nil
    }
}
