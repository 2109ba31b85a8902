/// Finds a user's number by its name. The first one that has it is the one that sessions are opened for (§13.20).
public struct UserSearch: Conversation {
    /// Nil when no user has the name.
    public private(set) var user: UInt8?
    private let name: String
    private let channel: UInt8
    private var most: UInt8?
    private var candidate: UInt8 = 1
    private var isDone = false

    /// - Parameter channel: 14 is the one by which this is asked.
    public init(_ name: String, channel: UInt8 = 14) { (self.name, self.channel) = (name, channel) }

    private var request: Request { most == nil ? .userAccess(1, channel: channel) : .userName(candidate) }

    public mutating func next() -> ConversationStep { isDone ? .done : .send(request) }

    public mutating func receive(_ code: CompletionCode, _ data: [UInt8]) throws(ConversationError) {
        let asked = request
        guard let most else {
            guard code == .success else { throw .refused(asked, code) }
            guard let access = UserAccess(answer: data) else { throw .short(asked) }
            most = access.most
            isDone = access.most == 0
            return
        }
        // A slot without a name is refused by some.
        if code == .success, UserName.text(answer: data) == name { user = candidate }
        isDone = user != nil || candidate >= most
        candidate += 1
    }
}
