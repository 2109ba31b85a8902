import IPMI
import Machines

extension BMCError {
    static func silent(_ address: String, _ doing: String) -> BMCError {
        BMCError(
            address: address, doing: doing, reason: .silent,
            "no answer; is the address right, IPMI over LAN enabled, UDP 623 open?")
    }

    /// It answers, and not to the handshake's message of this number.
    static func silentInside(_ address: String, user: String, messages: Int) -> BMCError {
        guard messages == 1 else {
            return BMCError(
                address: address, doing: "log in", reason: messages == 2 ? .credentials : .silent,
                messages == 2
                    ? "it stops answering when the password of \(user) is proved: a wrong password, or too many sessions"
                    : "it answers, and opens no session with any cipher suite")
        }
        return BMCError(
            address: address, doing: "log in", reason: .credentials,
            "it answers, and says nothing to user \(user): BMCs that pass over unknown users do so")
    }

    init(address: String, doing: String, _ error: HandshakeError) {
        let reason: Reason =
            switch error {
            case .wrongPassword: .credentials
            case .otherAlgorithms: .nonsense
            case .refused(let status, _): status.refusesCredentials ? .credentials : .refused
            }
        self.init(address: address, doing: doing, reason: reason, "\(error)")
    }

    init(address: String, doing: String, _ error: ConversationError, exchange: [String]) {
        let reason: Reason =
            switch error {
            case .refused(_, let code): code == .invalidCommand ? .unsupported : .refused
            case .nonsense: .nonsense
            case .notDone: .notDone
            case .impossible: .unsupported
            }
        self.init(
            address: address, doing: doing, reason: reason, "\(error)",
            exchange: reason == .nonsense || reason == .notDone ? exchange : [])
    }
}
