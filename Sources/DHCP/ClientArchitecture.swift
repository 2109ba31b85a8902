/// What a network-booting client runs: option 93 (RFC 4578 §2.1), with the numbers of IANA's registry "Processor Architecture
/// Types" (RFC 5970 §3.3). Open: other numbers are carried.
public struct ClientArchitecture: RawRepresentable, Hashable, Sendable, Codable {
    public var rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let biosX86 = Self(rawValue: 0)
    public static let efiIA32 = Self(rawValue: 6)
    /// x64 UEFI.
    public static let efiX64 = Self(rawValue: 7)
    /// EFI byte code by the registry; x64 UEFI as many firmwares use it, after the numbers of RFC 4578 were swapped.
    public static let efiBC = Self(rawValue: 9)
    public static let efiARM32 = Self(rawValue: 10)
    public static let efiARM64 = Self(rawValue: 11)
    public static let efiIA32HTTP = Self(rawValue: 15)
    public static let efiX64HTTP = Self(rawValue: 16)
    public static let efiBCHTTP = Self(rawValue: 17)
    public static let efiARM32HTTP = Self(rawValue: 18)
    public static let efiARM64HTTP = Self(rawValue: 19)
    public static let efiRISCV64 = Self(rawValue: 27)
    public static let efiRISCV64HTTP = Self(rawValue: 28)

    /// The firmware fetches its boot program by HTTP (UEFI HTTP boot).
    public var isHTTP: Bool { withoutHTTP != self }

    /// What it runs, however it is fetched: x64 UEFI for x64 UEFI HTTP.
    public var withoutHTTP: Self {
        switch rawValue {
        case 15: .efiIA32
        case 16: .efiX64
        case 17: .efiBC
        case 18: .efiARM32
        case 19: .efiARM64
        case 20: .biosX86
        // RISC-V of 32, 64 and 128 bits: each has its number for HTTP behind it.
        case 26, 28, 30: Self(rawValue: rawValue - 1)
        default: self
        }
    }

    /// The loader that UEFI starts from a disk of which it knows nothing (UEFI 2.10 §3.5.1.1, table 3.3).
    public var removableLoader: String? {
        switch withoutHTTP {
        case .efiIA32: "BOOTIA32.EFI"
        case .efiX64, .efiBC: "BOOTX64.EFI"
        case .efiARM32: "BOOTARM.EFI"
        case .efiARM64: "BOOTAA64.EFI"
        case .efiRISCV64: "BOOTRISCV64.EFI"
        default: nil
        }
    }

    public var isUEFI: Bool { rawValue >= 6 && rawValue != 8 && rawValue != 20 }
}
