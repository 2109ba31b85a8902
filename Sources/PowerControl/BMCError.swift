import IPMI

/// What was tried on which BMC, what came back, what to do.
public struct BMCError: Error, CustomStringConvertible {
    public enum Reason: Sendable {
        case unreachable(String)
        case silent
        case handshake(HandshakeError)
        case code(CompletionCode)
        /// Accepted, and not so when read back.
        case notDone(String)
    }

    public var address: String
    public var doing: String
    public var reason: Reason

    public init(address: String, doing: String, reason: Reason) {
        (self.address, self.doing, self.reason) = (address, doing, reason)
    }

    public var description: String {
        let words: String =
            switch reason {
            case .unreachable(let why): why
            case .silent: "no answer; is the address right, IPMI over LAN enabled, UDP 623 open?"
            case .handshake(let error): "\(error)"
            case .code(let code): "\(code)"
            case .notDone(let what): what
            }
        return "BMC \(address), \(doing): \(words)"
    }
}
