/// What passwords a maker's BMC takes, and a generator of such.
public struct BMCPasswordPolicy: Equatable, Sendable {
    /// In characters, each a byte. 8 to 20.
    public var length: Int
    /// Of upper case, lower case, digits and others: each is in a password.
    public var specials: [UInt8]

    /// Sixteen are taken by BMCs that store 16 bytes and by those that store 20, and by those that want 13 at least; all four
    /// classes satisfy those that want two or three.
    public static let common = Self(length: 16, specials: Array("-_.+".utf8))

    /// - Parameter manufacturer: of Get Device ID.
    ///
    /// Documented:
    /// - HPE iLO: 20 bytes for IPMI users, 8 by default at least ("HPE iLO 5 User Guide", password guidelines; IPMI/DCMI users).
    /// - Lenovo XCC: 8 to 20 by default, a letter and a digit, two of upper, lower, special, no character more than twice in a row
    ///   (ThinkSystem UEFI and XCC user security settings, pubs.lenovo.com).
    /// - Huawei and xFusion iBMC: 8 to 20, one special character at least and two other classes, never the user's name
    ///   ("iBMC User Guide", passwordcomplexity).
    /// - NVIDIA BMC: 13 at least, an upper-case and a lower-case letter and a digit (IGX Orin BMC, User Management).
    ///
    /// All of these take ``common``; it is here so that one that does not has a place.
    public static func of(_ manufacturer: Manufacturer) -> Self {
        switch manufacturer {
        // Their own specification of this command stores 20 bytes; more is allowed, so more is used.
        case .huawei, .xFusion: Self(length: 20, specials: common.specials)
        default: common
        }
    }

    public init(length: Int, specials: [UInt8]) {
        (self.length, self.specials) = (min(20, max(8, length)), specials.isEmpty ? Array("-".utf8) : specials)
    }

    // Without those that are taken for each other on a screen.
    private static let upper = Array("ABCDEFGHJKLMNPQRSTUVWXYZ".utf8)
    private static let lower = Array("abcdefghijkmnpqrstuvwxyz".utf8)
    private static let digits = Array("23456789".utf8)

    /// Why a password that a person chose would not be taken by BMCs; nil when it may.
    public static func fault(_ password: String) -> String? {
        guard (8...20).contains(password.utf8.count) else { return "a BMC's password has 8 to 20 bytes" }
        return password.utf8.allSatisfy { (0x21...0x7e).contains($0) }
            ? nil : "a BMC's password has letters, digits and signs of ASCII only, and no space"
    }

    /// A random password.
    public func password() -> String {
        var generator = SystemRandomNumberGenerator()
        return password(using: &generator)
    }

    /// A random password: a letter first, all classes in it, no character next to itself, without what shells, URLs or XML change.
    public func password(using generator: inout some RandomNumberGenerator) -> String {
        let classes = [Self.upper, Self.lower, Self.digits, specials]
        let letters = Self.upper + Self.lower
        let all = classes.flatMap(\.self)
        while true {
            var bytes: [UInt8] = [letters[Int.random(in: 0..<letters.count, using: &generator)]]
            while bytes.count < length {
                let next = all[Int.random(in: 0..<all.count, using: &generator)]
                if next != bytes.last { bytes.append(next) }
            }
            if accepts(bytes) { return String(decoding: bytes, as: UTF8.self) }
        }
    }

    /// Whether all classes are in it.
    func accepts(_ password: [UInt8]) -> Bool {
        password.count == length
            && [Self.upper, Self.lower, Self.digits, specials].allSatisfy { password.contains(where: $0.contains) }
    }
}
