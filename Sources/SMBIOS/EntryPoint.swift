/// The entry point (DSP0134 §5.2), as Linux shows it in `/sys/firmware/dmi/tables/smbios_entry_point`.
public struct SMBIOSVersion: Comparable, Sendable {
    public var major: UInt8
    public var minor: UInt8

    public init(major: UInt8, minor: UInt8) { (self.major, self.minor) = (major, minor) }

    /// Nil for what is no entry point.
    public init?(entryPoint bytes: [UInt8]) {
        if bytes.starts(with: "_SM3_".utf8), bytes.count >= 10 {
            self.init(major: bytes[7], minor: bytes[8])
        } else if bytes.starts(with: "_SM_".utf8), bytes.count >= 8 {
            self.init(major: bytes[6], minor: bytes[7])
        } else {
            return nil
        }
    }

    public static func < (left: Self, right: Self) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}
