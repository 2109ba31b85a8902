/// A user of a simulated BMC.
public struct SimulatedUser: Equatable, Sendable {
    public var name = ""
    /// 20 bytes.
    public var key = Array(repeating: UInt8(0), count: 20)
    /// Stored as 20 bytes; else as 16.
    public var isLong = false
    public var isEnabled = false
    public var mayMessage = false
    /// 15 is none.
    public var privilege: UInt8 = 15

    public init() {}

    public init(_ name: String, _ password: String) {
        self.name = name
        key = Array(password.utf8.prefix(20))
        isLong = key.count > 16
        key += Array(repeating: 0, count: 20 - key.count)
        (isEnabled, mayMessage, privilege) = (true, true, 4)
    }
}

/// Users (§22.26 to §22.31): ten, of which the first is the nameless one.
struct SimulatedUsers: Sendable {
    var users: [SimulatedUser]

    mutating func perform(_ command: UInt8, _ data: [UInt8], _ quirks: BMCQuirks) -> (UInt8, [UInt8]) {
        switch command {
        case 0x43:
            guard data.count >= 3, let user = index(data[1]) else { return (0xcc, []) }
            if data[0] & 0x80 != 0 { users[user].mayMessage = data[0] & 0x10 != 0 }
            users[user].privilege = data[2] & 15
            return (0, [])
        case 0x44:
            guard data.count >= 2, let user = index(data[1]) else { return (0xcc, []) }
            let enabled = UInt8(users.count(where: \.isEnabled))
            let access = (users[user].mayMessage ? 0x10 : 0) | users[user].privilege
            return (0, [UInt8(users.count), (users[user].isEnabled ? 0x40 : 0x80) | enabled, 1, access])
        case 0x45:
            guard data.count == 17, let user = index(data[0]), user > 0 else { return (0xcc, []) }
            users[user].name = String(decoding: data[1...].prefix { $0 != 0 }, as: UTF8.self)
            return (0, [])
        case 0x46:
            guard let number = data.first, let user = index(number) else { return (0xcc, []) }
            // Several makers refuse to name a user that is not there.
            if users[user].name.isEmpty, user > 0 { return (0xcc, []) }
            let name = Array(users[user].name.utf8.prefix(16))
            return (0, name + Array(repeating: 0, count: 16 - name.count))
        case 0x47: return password(data, quirks)
        default: return (0xc1, [])
        }
    }

    private mutating func password(_ data: [UInt8], _ quirks: BMCQuirks) -> (UInt8, [UInt8]) {
        guard data.count >= 2, let user = index(data[0]) else { return (0xcc, []) }
        let isLong = data[0] & 0x80 != 0
        let operation = data[1] & 3
        if operation < 2 {
            users[user].isEnabled = operation == 1
            return (0, [])
        }
        guard data.count == 2 + (isLong ? 20 : 16) else { return (0xc7, []) }
        let key = Array(data[2...].prefix(quirks.cutsPasswords ? 16 : 20))
        let padded = key + Array(repeating: 0, count: 20 - key.count)
        if operation == 2 {
            (users[user].key, users[user].isLong) = (padded, isLong)
            return (0, [])
        }
        guard users[user].isLong == isLong else { return (0x81, []) }
        return (users[user].key == padded ? 0 : 0x80, [])
    }

    private func index(_ number: UInt8) -> Int? {
        let index = Int(number & 0x3f) - 1
        return users.indices.contains(index) ? index : nil
    }
}
