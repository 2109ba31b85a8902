/// What was tried on which BMC, what came back, what to do. Holds no secret.
public struct BMCError: Error, CustomStringConvertible {
    public enum Reason: String, Codable, Sendable {
        /// The network does not lead there, or nothing listens.
        case unreachable
        /// No answer in time.
        case silent
        /// The user or the password.
        case credentials
        /// The certificate is not the one that is believed.
        case certificate
        /// It said no.
        case refused
        /// Neither it nor its protocol can.
        case unsupported
        /// It said yes, and it was not so when read back: the BMC's fault.
        case notDone
        /// It may have done it or not, and a second time would do harm.
        case outcomeUnknown
        /// What it answered makes no sense.
        case nonsense
        /// Too many commands of ours wait for it: it was not asked.
        case busy
    }

    public var address: String
    public var doing: String
    public var reason: Reason
    /// What came back; cut after ``longest`` characters.
    public var detail: String
    /// Commands and answers that led to it, the last ones, for who has to talk to the maker.
    public var exchange: [String]

    /// Characters of a detail: it goes into events and answers, and a BMC may say anything.
    static let longest = 1000

    public init(address: String, doing: String, reason: Reason, _ detail: String, exchange: [String] = []) {
        let scalars = detail.unicodeScalars
        let isLong = scalars.count > Self.longest
        (self.address, self.doing, self.reason) = (address, doing, reason)
        self.detail = isLong ? String(scalars.prefix(Self.longest)) + "…" : detail
        self.exchange = exchange
    }

    public static func unsupported(_ bmc: BMCAccess, _ doing: String) -> BMCError {
        BMCError(
            address: bmc.address, doing: doing, reason: .unsupported, "not possible by \(bmc.kind.rawValue)")
    }

    /// Nobody is there, or not as itself: what it was asked last changed nothing.
    public var isAbsence: Bool { reason == .unreachable || reason == .silent }

    public var description: String {
        let exchange = exchange.isEmpty ? "" : " [\(exchange.joined(separator: "; "))]"
        return "BMC \(address), \(doing): \(detail)\(exchange)"
    }
}
