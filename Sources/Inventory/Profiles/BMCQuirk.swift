/// How a BMC differs from its specification. Named in hardware profiles.
public enum BMCQuirk: String, Codable, Sendable, CaseIterable {
    /// Redfish answers, and does not do what it says: IPMI is used.
    case noRedfish = "no-redfish"
    /// Offers cipher suite 17 and fails with it.
    case cipherSuite3 = "cipher-suite-3"
}
