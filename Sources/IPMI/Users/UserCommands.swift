/// Users of a BMC (§22.26 to §22.31).
extension Request {
    /// §22.27.
    public static func userAccess(_ user: UInt8, channel: UInt8) -> Request {
        Request("access of user \(user)", .application, 0x44, data: [channel & 15, user & 0x3f])
    }

    /// §22.26: messages over this channel with this privilege at most, and no more of its own (no callback).
    public static func setUserAccess(_ user: UInt8, channel: UInt8, privilege: UserPrivilege) -> Request {
        Request(
            "set the access of user \(user)", .application, 0x43,
            // 80h: change these bits; 10h: IPMI messaging.
            data: [0x80 | 0x10 | channel & 15, user & 0x3f, privilege.rawValue, 0])
    }

    /// §22.29.
    public static func userName(_ user: UInt8) -> Request {
        Request("name of user \(user)", .application, 0x46, data: [user & 0x3f])
    }

    /// §22.28: 16 bytes at most.
    public static func setUserName(_ user: UInt8, _ name: String) -> Request {
        let bytes = Array(name.utf8.prefix(16))
        return Request(
            "set the name of user \(user)", .application, 0x45,
            data: [user & 0x3f] + bytes + Array(repeating: 0, count: 16 - bytes.count))
    }

    /// §22.30.
    public static func enableUser(_ user: UInt8) -> Request {
        Request("enable user \(user)", .application, 0x47, data: [user & 0x3f, 1])
    }

    /// §22.30.
    public static func setPassword(_ user: UInt8, _ password: String, size: PasswordSize) -> Request {
        passwordCommand("set the password of user \(user)", user, password, size, operation: 2)
    }

    /// §22.30: whether it is this one.
    public static func testPassword(_ user: UInt8, _ password: String, size: PasswordSize) -> Request {
        passwordCommand("test the password of user \(user)", user, password, size, operation: 3)
    }

    private static func passwordCommand(
        _ name: String, _ user: UInt8, _ password: String, _ size: PasswordSize, operation: UInt8
    ) -> Request {
        let bytes = Array(password.utf8.prefix(size.rawValue))
        return Request(
            name, .application, 0x47,
            data: [(size == .twenty ? 0x80 : 0) | user & 0x3f, operation] + bytes
                + Array(repeating: 0, count: size.rawValue - bytes.count), isSecret: true)
    }

    /// §24.6: which payloads a user may use; this lets it use the serial console.
    public static func allowConsole(_ user: UInt8, channel: UInt8) -> Request {
        Request(
            "allow the console to user \(user)", .application, 0x4c, data: [channel & 15, user & 0x3f, 0x02, 0, 0, 0])
    }
}

/// How a BMC stores a password. The two are different passwords to it, even with the same characters.
public enum PasswordSize: Int, Sendable { case sixteen = 16, twenty = 20 }

/// Table 22-26. Open.
public struct UserPrivilege: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let administrator = Self(rawValue: 4)
}

extension CompletionCode {
    /// Of a password that was tested (§22.30).
    public static let passwordDiffers = Self(rawValue: 0x80)
    public static let passwordSizeDiffers = Self(rawValue: 0x81)
}

/// The answer to ``Request/userAccess(_:channel:)`` (table 22-32).
public struct UserAccess: Equatable, Sendable {
    /// User ids are 1 to this.
    public var most: UInt8
    /// So many of the first ones have names that cannot be changed.
    public var fixedNames: UInt8
    /// Nil in BMCs that do not say.
    public var isEnabled: Bool?
    public var mayMessage: Bool
    public var privilege: UserPrivilege

    public init?(answer: [UInt8]) {
        guard answer.count >= 4 else { return nil }
        most = answer[0] & 0x3f
        isEnabled = [1: true, 2: false][answer[1] >> 6]
        fixedNames = answer[2] & 0x3f
        mayMessage = answer[3] & 0x10 != 0
        privilege = UserPrivilege(rawValue: answer[3] & 15)
    }
}

/// The answer to ``Request/userName(_:)``.
public enum UserName {
    /// Without the zeros behind it; empty for a slot without a user.
    public static func text(answer: [UInt8]) -> String {
        String(decoding: answer.prefix(16).prefix { $0 != 0 }, as: UTF8.self)
    }
}
