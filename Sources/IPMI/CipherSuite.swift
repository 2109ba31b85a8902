import Crypto
import FoundationEssentials

/// Algorithms of a session (table 22-20). Those without integrity or confidentiality are not offered.
public enum CipherSuite: UInt8, Sendable, CaseIterable {
    /// RAKP-HMAC-SHA1, HMAC-SHA1-96, AES-CBC-128.
    case three = 3
    /// RAKP-HMAC-SHA256, HMAC-SHA256-128, AES-CBC-128.
    case seventeen = 17

    /// Numbers of tables 13-17, 13-18, 13-19.
    var authentication: UInt8 { self == .three ? 1 : 3 }
    var integrity: UInt8 { self == .three ? 1 : 4 }
    var confidentiality: UInt8 { 1 }

    /// Bytes of a full key exchange code, and of the cut ones in RAKP 4 and in every packet.
    var codeLength: Int { self == .three ? 20 : 32 }
    var shortCodeLength: Int { self == .three ? 12 : 16 }

    func hmac(_ data: [UInt8], key: [UInt8]) -> [UInt8] {
        let key = SymmetricKey(data: key)
        return switch self {
        case .three: Array(HMAC<Insecure.SHA1>.authenticationCode(for: data, using: key))
        case .seventeen: Array(HMAC<SHA256>.authenticationCode(for: data, using: key))
        }
    }
}

/// Equal, in a time that does not tell where the first difference is.
func constantTimeEqual(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
}
