import Machines
import NetworkAddresses

/// What a Talos machine tells its event sink of itself, as far as it counts here (siderolabs/talos, api/machine/machine.proto).
public enum TalosEvent: Equatable, Sendable {
    /// It has no configuration, or one that it does not take; tried again.
    case configurationRefused(String)
    /// A sequence such as `install` or `boot` ended with an error.
    case sequenceFailed(String, error: String)
    case serviceFailed(String, message: String)
    case status(Stage, ready: Bool, unmet: [UnmetCondition])

    public enum Stage: Equatable, Sendable {
        case booting, installing, maintenance, running, rebooting, shuttingDown, resetting, upgrading
    }

    /// What keeps a machine from being ready.
    public struct UnmetCondition: Equatable, Sendable {
        public var name: String
        public var reason: String

        public init(name: String, reason: String) { (self.name, self.reason) = (name, reason) }
    }
}

/// What an event comes to. It is hearsay: anybody who can send from a machine's address can send one.
public struct TalosNews: Equatable, Sendable {
    /// What it says of the installation; nil: nothing.
    public var news: InstallationNews?
    /// For people: one line of printable characters, at most ``limit`` bytes, without the ticket.
    public var words: String
    /// Somebody should look.
    public var isFault: Bool
    /// The ticket of an installation, where the machine told it: whoever listened knows it too.
    public var ticket: String?

    /// Bytes of ``words``.
    public static let limit = 600
    /// Conditions that are told.
    static let conditions = 8

    public init(_ event: TalosEvent) {
        switch event {
        case .configurationRefused(let error):
            self.init("Talos has no configuration that it takes: \(error)", isFault: true)
        case .sequenceFailed(let sequence, let error):
            self.init("Talos failed in its sequence \(sequence): \(error)", isFault: true)
        case .serviceFailed(let service, let message):
            self.init("Talos' service \(service) failed: \(message)", isFault: true)
        case .status(let stage, let isReady, let unmet):
            self.init(stage, isReady, unmet)
        }
    }

    private init(_ stage: TalosEvent.Stage, _ isReady: Bool, _ unmet: [TalosEvent.UnmetCondition]) {
        let waits = unmet.prefix(Self.conditions).map { "\($0.name) (\($0.reason))" }.joined(separator: ", ")
        let more = unmet.count > Self.conditions ? " and \(unmet.count - Self.conditions) more" : ""
        let rest = waits.isEmpty ? "" : ", and waits for \(waits)\(more)"
        switch stage {
        case .running where isReady: self.init("Talos runs and is ready", news: .joined)
        case .running: self.init("Talos runs" + rest, news: .firstBoot)
        case .booting: self.init("Talos starts" + rest)
        case .installing: self.init("Talos installs itself")
        case .rebooting: self.init("Talos restarts the machine")
        case .upgrading: self.init("Talos upgrades itself")
        case .shuttingDown: self.init("Talos shuts the machine down", isFault: true)
        case .resetting: self.init("Talos erases itself", isFault: true)
        case .maintenance:
            self.init("Talos is in maintenance mode: it waits for a configuration from a person", isFault: true)
        }
    }

    private init(_ words: String, news: InstallationNews? = nil, isFault: Bool = false) {
        (self.news, self.isFault) = (news, isFault)
        ticket = Self.tickets(in: words).first.map { String(words[$0]) }
        self.words = Self.line(words)
    }

    /// What stands between `/installations/` and the next slash, as 64 hex digits.
    private static func tickets(in words: String) -> [Range<String.Index>] {
        words.ranges(of: "/installations/").compactMap { before in
            let end =
                words[before.upperBound...].firstIndex { !$0.isASCII || !$0.isHexDigit } ?? words.endIndex
            return words.utf8.distance(from: before.upperBound, to: end) == 64 ? before.upperBound..<end : nil
        }
    }

    /// Strangers' words: nothing that a terminal would obey, and nothing secret.
    private static func line(_ words: String) -> String {
        var kept = words
        for range in tickets(in: kept).reversed() { kept.replaceSubrange(range, with: "…") }
        let scalars = kept.unicodeScalars.lazy.map { scalar -> Unicode.Scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: " "
            default: scalar
            }
        }
        let line = String(String.UnicodeScalarView(scalars)).split(separator: " ").joined(separator: " ")
        guard line.utf8.count > limit else { return line }
        var end = line.startIndex
        var bytes = "…".utf8.count
        while end < line.endIndex, bytes + line[end].utf8.count <= limit {
            bytes += line[end].utf8.count
            end = line.index(after: end)
        }
        return line[..<end] + "…"
    }
}

/// Hears what comes in at the event sink.
public protocol TalosListener: Sendable {
    /// - Parameter address: where it came from, which is all that is known of the sender.
    /// - Returns: false: it was too much at once, and has to be told again.
    func hear(_ event: TalosEvent, from address: IPAddress) async throws -> Bool
}
