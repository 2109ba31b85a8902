/// Passwords that BMCs take.
public enum BMCPassword {
    /// Characters of IPMI 2.0's longest form (§22.30); some BMCs have room for 16 only.
    public static let lengths = 8...20
    static let presetLength = 16
    private static let classes = [
        Array("abcdefghijkmnopqrstuvwxyz"), Array("ABCDEFGHJKLMNPQRSTUVWXYZ"), Array("23456789"),
        // No quotes, spaces, backslashes, dollars or colons: programs of other people get this on their command lines.
        Array("+-.=_"),
    ]

    /// Sixteen characters of four classes, none of which looks like another.
    public static func random() -> String {
        var random = SystemRandomNumberGenerator()
        let all = classes.flatMap { $0 }
        while true {
            let password = (0..<presetLength).map { _ in all[Int.random(in: all.indices, using: &random)] }
            // A letter first: some BMCs want it.
            if classes.allSatisfy({ password.contains(where: $0.contains) }), password[0].isLetter {
                return String(password)
            }
        }
    }

    /// Why a BMC would not take it; nil when it may.
    public static func fault(_ password: String) -> String? {
        guard lengths.contains(password.utf8.count) else {
            return "a BMC's password has \(lengths.lowerBound) to \(lengths.upperBound) bytes"
        }
        return password.utf8.allSatisfy { (0x21...0x7e).contains($0) }
            ? nil : "a BMC's password has letters, digits and signs of ASCII only, and no space"
    }
}
