/// Network function of a request (IPMI v2.0 rev 1.1, table 5-1). Open.
public struct NetworkFunction: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let chassis = Self(rawValue: 0x00)
    public static let sensorEvent = Self(rawValue: 0x04)
    public static let application = Self(rawValue: 0x06)
    public static let storage = Self(rawValue: 0x0a)
    public static let transport = Self(rawValue: 0x0c)
}

/// How a command ended (table 5-2). Open.
public struct CompletionCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let success = Self(rawValue: 0x00)
    public static let nodeBusy = Self(rawValue: 0xc0)
    public static let invalidCommand = Self(rawValue: 0xc1)
    public static let invalidForLUN = Self(rawValue: 0xc2)
    public static let timeout = Self(rawValue: 0xc3)
    /// The reservation is lost: something was added, or somebody else reserved.
    public static let reservationCancelled = Self(rawValue: 0xc5)
    public static let lengthInvalid = Self(rawValue: 0xc7)
    public static let lengthExceeded = Self(rawValue: 0xc8)
    public static let outOfRange = Self(rawValue: 0xc9)
    /// So many bytes do not fit into one answer.
    public static let tooManyBytes = Self(rawValue: 0xca)
    public static let notPresent = Self(rawValue: 0xcb)
    public static let invalidField = Self(rawValue: 0xcc)
    public static let insufficientPrivilege = Self(rawValue: 0xd4)
    public static let notSupportedInState = Self(rawValue: 0xd5)

    /// Clears by itself: worth another try.
    public var isTransient: Bool { self == .nodeBusy || self == .timeout }

    /// The BMC does not have the command or the parameter, which is optional. 80h is that of the parameters of §23 and §28.
    public var isUnsupported: Bool {
        [.invalidCommand, .invalidForLUN, .lengthInvalid, .outOfRange, .notPresent, .invalidField].contains(self)
            || rawValue == 0x80
    }

    /// Fewer bytes at once may do. FFh is what some say instead of CAh.
    public var asksForLess: Bool {
        [.tooManyBytes, .lengthExceeded, .lengthInvalid].contains(self) || rawValue == 0xff
    }

    public var description: String {
        switch self {
        case .success: "success"
        case .nodeBusy: "the BMC is busy (C0h)"
        case .invalidCommand: "the BMC does not know this command (C1h)"
        case .timeout: "the BMC timed out inside (C3h)"
        case .reservationCancelled: "the reservation is lost (C5h)"
        case .lengthInvalid: "the request's length is invalid (C7h)"
        case .lengthExceeded: "the request is too long (C8h)"
        case .tooManyBytes: "so many bytes cannot be returned at once (CAh)"
        case .notPresent: "no such sensor, record or data (CBh)"
        case .outOfRange: "a parameter is out of range (C9h)"
        case .invalidField: "a field is invalid (CCh)"
        case .insufficientPrivilege: "the user's privilege is too low (D4h)"
        case .notSupportedInState: "not possible in the present state (D5h)"
        default: "completion code \(String(rawValue, radix: 16, uppercase: true))h"
        }
    }
}

/// Status of Open Session and RAKP messages (table 13-15). Open.
public struct SessionStatus: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let ok = Self(rawValue: 0x00)

    public var description: String {
        switch rawValue {
        case 0x01: "the BMC has no free session slot (01h)"
        case 0x02: "invalid session id (02h)"
        case 0x09: "the user may not have this privilege (09h)"
        case 0x0d: "unknown user name (0Dh)"
        case 0x0f: "the password is wrong (0Fh)"
        case 0x11: "no cipher suite in common (11h)"
        case 0x12: "illegal or unrecognized parameter (12h)"
        case 0x04, 0x05, 0x10: "the BMC refuses these algorithms (\(String(rawValue, radix: 16, uppercase: true))h)"
        default: "status \(String(rawValue, radix: 16, uppercase: true))h"
        }
    }

    /// The user, its privilege or its password.
    public var refusesCredentials: Bool { [0x09, 0x0d, 0x0f].contains(rawValue) }

    /// The BMC does not offer the cipher suite; another may do.
    public var refusesCipherSuite: Bool { [0x04, 0x05, 0x10, 0x11, 0x12].contains(rawValue) }
}
