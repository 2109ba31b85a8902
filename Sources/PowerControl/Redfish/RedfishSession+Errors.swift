import Machines
import NIOHTTP1
import Redfish

/// What went wrong, for a person; and the exchange that led to it, without secrets.
extension RedfishSession {
    func record(_ line: String) {
        // Cut last: half a secret is not found. What is cut first is too much to look through.
        let line = redact(String(line.unicodeScalars.prefix(20_000)))
        exchange.append(String(line.unicodeScalars.prefix(400)))
        if exchange.count > 12 { exchange.removeFirst() }
    }

    /// A service may say back what it was sent.
    private func redact(_ text: String) -> String {
        var result = text
        for secret in secrets where !secret.isEmpty {
            result = result.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "•••")
        }
        return result
    }

    func error(_ reason: BMCError.Reason, _ detail: String) -> BMCError {
        let shows = [.refused, .notDone, .outcomeUnknown, .nonsense].contains(reason)
        return BMCError(
            address: bmc.address, doing: doing, reason: reason, redact(detail), exchange: shows ? exchange : [])
    }

    /// What the service says to a request that it does not do.
    func refusal(_ answer: Answer, _ what: String) -> BMCError {
        let said = answer.messages.prefix(3).map(\.description).joined(separator: "; ")
        let hint = answer.messages.compactMap(\.resolution).first.map { ". It advises: \($0)" } ?? ""
        let detail = "it refused \(what) with HTTP \(answer.status)\(said.isEmpty ? "" : ": \(said)")\(hint)"
        switch answer.status {
        case 404, 405, 501: return error(.unsupported, detail)
        case 403: return error(.refused, detail + "; has the user \(bmc.username) the privilege?")
        default: return error(.refused, detail)
        }
    }

    func refusedCredentials(_ answer: Answer) -> BMCError {
        let said = answer.messages.first.map { " (\($0.description))" } ?? ""
        return error(
            .credentials,
            "it refused the user \(bmc.username) or the password with HTTP \(answer.status)\(said); is the user enabled for Redfish, and not locked?"
        )
    }

    func passwordChangeRequired() -> BMCError {
        error(
            .credentials,
            "it lets the user \(bmc.username) do nothing until the password is changed; give this BMC a new password")
    }

    func failure(_ lost: Lost, _ method: HTTPMethod, _ isRepeatable: Bool) -> BMCError {
        let hint = "is the address right, and TCP \(bmc.port) open?"
        if lost.wasSent, !isRepeatable || method == .PATCH {
            return error(
                .outcomeUnknown,
                "it was told once, and its answer was lost (\(words(lost.why))); look before telling it again")
        }
        switch lost.why {
        case .unreachable(let why): return error(.unreachable, "\(why); \(hint)")
        case .silent: return error(.silent, lost.wasSent ? "no whole answer in \(limits.answer)" : "no answer; \(hint)")
        case .notTLS(let why):
            return error(
                .nonsense,
                "what listens on TCP \(bmc.port) does not speak TLS with us (\(why)); Redfish is not used without it")
        case .cut, .unsent, .tooLong, .nonsense: return error(.nonsense, words(lost.why))
        }
    }

    private func words(_ why: HTTPSError) -> String {
        switch why {
        case .unreachable(let words), .notTLS(let words), .cut(let words), .unsent(let words), .nonsense(let words):
            words
        case .silent: "no answer in \(limits.answer)"
        case .tooLong(let most): "an answer is longer than \(most >> 20) MiB"
        }
    }
}
