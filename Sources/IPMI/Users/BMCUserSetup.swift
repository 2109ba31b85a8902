/// Makes a user of our own in a BMC, from inside the machine where no password is needed, and reads it back.
///
/// User 1 (the nameless one) and every user that has a name are left as they are. A slot that has our name already is taken over:
/// nobody else uses it. The order is name, password, privilege, console, enabled: a user that is enabled has a password.
public struct BMCUserSetup: Conversation {
    public struct Outcome: Equatable, Sendable {
        public var user: UInt8
        public var channel: UInt8
        public var passwordSize: PasswordSize
        /// It had our name before.
        public var wasThere: Bool
        /// What could not be set or read back, and does not stand in the way of a session.
        public var remarks: [String]
    }

    /// What was made; nil before the end.
    public private(set) var outcome: Outcome?
    private let name: String
    private let password: String
    private var queue: [Step] = [.channel(1)]
    private var channel: UInt8 = 0
    private var most: UInt8 = 0
    private var fixedNames: UInt8 = 0
    private var free: UInt8?
    private var ours: UInt8?
    private var user: UInt8 = 0
    private var size = PasswordSize.sixteen
    private var remarks: [String] = []

    private enum Step: Equatable {
        case channel(UInt8)
        case count, look(UInt8)
        case name, password, access, console, enable
        case readName, readAccess, test
    }

    /// - Parameters:
    ///   - name: 1 to 16 bytes.
    ///   - password: 1 to 20 bytes. With 16 or fewer it is stored as 16 bytes, which every BMC takes.
    public init(name: String, password: String) throws(ConversationError) {
        guard 1...16 ~= name.utf8.count, 1...20 ~= password.utf8.count, !name.utf8.contains(0),
            !password.utf8.contains(0)
        else { throw .impossible("a BMC's user has a name of 1 to 16 bytes and a password of 1 to 20") }
        (self.name, self.password) = (name, password)
        size = password.utf8.count > 16 ? .twenty : .sixteen
    }

    private func request(_ step: Step) -> Request {
        switch step {
        case .channel(let number): .channelInfo(number)
        case .count: .userAccess(1, channel: channel)
        case .look(let number): .userName(number)
        case .name: .setUserName(user, name)
        case .password: .setPassword(user, password, size: size)
        case .access: .setUserAccess(user, channel: channel, privilege: .administrator)
        case .console: .allowConsole(user, channel: channel)
        case .enable: .enableUser(user)
        case .readName: .userName(user)
        case .readAccess: .userAccess(user, channel: channel)
        case .test: .testPassword(user, password, size: size)
        }
    }

    public mutating func next() -> ConversationStep { queue.first.map { .send(request($0)) } ?? .done }

    public mutating func receive(_ code: CompletionCode, _ data: [UInt8]) throws(ConversationError) {
        guard let step = queue.first else { return }
        let asked = request(step)
        queue.removeFirst()
        switch step {
        case .channel(let number):
            if code == .success, ChannelInfo.isLAN(answer: data) {
                channel = number
                queue = [.count]
            } else {
                // Channels 12 and up are reserved, 14 and 15 are this interface.
                guard number < 11 else { throw .impossible("this BMC has no LAN channel") }
                queue = [.channel(number + 1)]
            }
        case .count:
            guard code == .success else { throw .refused(asked, code) }
            guard let access = UserAccess(answer: data) else { throw .short(asked) }
            (most, fixedNames) = (access.most, access.fixedNames)
            guard most >= 2 else { throw .impossible("this BMC has no users beside the nameless one") }
            queue = [.look(2)]
        case .look(let number): try look(number, code, data)
        case .console where code != .success: remarks.append("console not allowed: \(code)")
        case .test: try tested(asked, code)
        case .name, .password, .access, .console, .enable:
            guard code == .success else { throw .refused(asked, code) }
        case .readName:
            guard code == .success, UserName.text(answer: data) == name else {
                throw .notDone("user \(user) was named \(name), and has another name when read back")
            }
        case .readAccess:
            guard code == .success, let access = UserAccess(answer: data) else { throw .refused(asked, code) }
            guard access.privilege == .administrator, access.mayMessage, access.isEnabled != false else {
                throw .notDone(
                    "user \(user) was made an administrator, and reads back with privilege \(access.privilege.rawValue)"
                        + (access.mayMessage ? "" : ", without messaging")
                        + (access.isEnabled == false ? ", disabled" : ""))
            }
        }
        if queue.isEmpty {
            outcome = Outcome(
                user: user, channel: channel, passwordSize: size, wasThere: ours != nil, remarks: remarks)
        }
    }

    private mutating func look(_ number: UInt8, _ code: CompletionCode, _ data: [UInt8]) throws(ConversationError) {
        let found = code == .success ? UserName.text(answer: data) : ""
        if found == name, ours == nil { ours = number }
        // A slot that cannot be read is free in most BMCs: CCh for a user without a name (Intel, Dell, Supermicro).
        if found.isEmpty, number > fixedNames, free == nil, code == .success || code.isUnsupported { free = number }
        guard number >= most else { return queue = [.look(number + 1)] }
        guard let slot = ours ?? free else {
            throw .impossible("all \(most) users of this BMC have names; free one that is not needed")
        }
        user = slot
        queue = (ours == nil ? [.name] : []) + [.password, .access, .console, .enable, .readName, .readAccess, .test]
    }

    /// The test is optional in old BMCs; a session shows the rest.
    private mutating func tested(_ asked: Request, _ code: CompletionCode) throws(ConversationError) {
        switch code {
        case .success: return
        case .passwordDiffers, .passwordSizeDiffers:
            throw .notDone("the password of user \(user) was set, and is another one when tested (\(code))")
        default: remarks.append("password not tested: \(code)")
        }
    }
}
