import IPMI
import Machines

extension BMCError {
    static func silent(_ address: String, _ doing: String) -> BMCError {
        BMCError(
            address: address, doing: doing, reason: .silent,
            "no answer; is the address right, IPMI over LAN enabled, UDP 623 open?")
    }

    init(address: String, doing: String, _ error: HandshakeError) {
        let reason: Reason =
            switch error {
            case .wrongPassword: .credentials
            case .refused(let status, _): status.refusesCredentials ? .credentials : .refused
            }
        self.init(address: address, doing: doing, reason: reason, "\(error)")
    }
}
