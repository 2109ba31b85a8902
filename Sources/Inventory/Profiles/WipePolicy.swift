/// How the disks of machines of a kind are to be erased. In the words of NIST SP 800-88 Rev. 2.
public struct WipePolicy: Codable, Equatable, Sendable {
    public enum Method: String, Codable, Sendable, CaseIterable {
        /// What makes a disk look blank is removed: signatures, partition tables. No sanitization in NIST's sense.
        case quick
        /// NIST's clear: all that a host can address is overwritten.
        case clear
        /// NIST's purge: the drive's own command, which reaches what a host cannot address.
        case purge
    }

    /// How much is read afterwards.
    public enum Verification: String, Codable, Sendable, CaseIterable { case none, sampled, full }

    /// What follows where the firmware has frozen a drive's erase commands (ATA Security) and purge cannot be had.
    public enum Frozen: String, Codable, Sendable, CaseIterable {
        /// The wipe fails and says so.
        case fail
        /// It is cleared, and the certificate says so.
        case clear
    }

    public var method: Method
    public var verify: Verification
    public var frozen: Frozen

    public init(method: Method, verify: Verification = .sampled, frozen: Frozen = .fail) {
        (self.method, self.verify, self.frozen) = (method, verify, frozen)
    }

    /// For people: `purge, verified sampled`.
    public var words: String {
        "\(method.rawValue), \(verify == .none ? "not verified" : "verified \(verify.rawValue)")"
            + (frozen == .clear ? ", clear where frozen" : "")
    }
}
