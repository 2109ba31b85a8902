import FoundationEssentials
import Inventory
import NetworkAddresses

/// One attempt of one machine to boot from the network: what was seen of it, in order.
public struct BootTrace: Codable, Equatable, Sendable {
    /// One step, and how often it was seen in a row.
    public struct Entry: Codable, Equatable, Sendable {
        /// When it was seen first.
        public var time: Date
        public var last: Date
        public var count: Int
        public var step: BootTraceEvent.Step
    }

    public let mac: MACAddress
    public let startedAt: Date
    public private(set) var lastAt: Date
    public private(set) var entries: [Entry] = []
    /// Steps that were not kept, beyond ``capacity``.
    public private(set) var dropped = 0
    /// Switch and port, as a DHCP relay told them.
    public private(set) var location: String?
    /// The installed system has its address: what it asks for from then on is its life and no boot.
    public private(set) var isOver = false

    /// Entries kept of one attempt: a boot that goes well has about twenty.
    public static let capacity = 100

    private var consoleLines = 0
    /// Lines of a console kept of one attempt.
    static let consoleCapacity = 50

    public init(mac: MACAddress, at time: Date) { (self.mac, startedAt, lastAt) = (mac, time, time) }

    /// - Returns: false for one more of what was seen last.
    @discardableResult public mutating func note(_ event: BootTraceEvent) -> Bool {
        lastAt = max(lastAt, event.time)
        if let location = event.location { self.location = location }
        guard !isOver else { return false }
        if case .acknowledge = event.step, entries.last?.step == .request(stage: .system) { isOver = true }
        if case .console = event.step {
            // A chatty kernel must not crowd out the steps.
            guard consoleLines < Self.consoleCapacity else {
                dropped += 1
                return false
            }
            consoleLines += 1
        }
        if let index = entries.indices.last, entries[index].step == event.step {
            entries[index].count += 1
            entries[index].last = event.time
            return false
        } else if entries.count < Self.capacity {
            entries.append(Entry(time: event.time, last: event.time, count: 1, step: event.step))
        } else {
            dropped += 1
            return false
        }
        return true
    }

    /// The last script sent it to its own disk, or its installed system shows itself.
    public var wasHandedOver: Bool {
        isOver || lastScript.flatMap { LocalDiskMethod(script: $0) } != nil
            || entries.contains { $0.step == .bootDevice(.disk) }
    }

    var lastScript: String? {
        entries.reversed().lazy.compactMap { if case .script(let name) = $0.step { name } else { nil } }.first
    }

    /// The furthest stage that was reached.
    public var stage: Stage { entries.map(\.step.stage).max() ?? .silent }

    /// How far a boot comes, in the order in which boots do.
    public enum Stage: Int, Codable, Comparable, Sendable {
        case silent, asked, offered, addressed, program, ipxe, script, kernel, initrd, agent

        public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }
}

extension BootTraceEvent.Step {
    /// The stage that this step shows a boot to be at.
    var stage: BootTrace.Stage {
        switch self {
        case .discover(.ipxe, _), .request(.ipxe): .ipxe
        case .discover, .request: .asked
        case .offer: .offered
        case .acknowledge: .addressed
        case .transferStarted: .silent
        case .transferFinished(_, let file, let bytes, _, _, let outcome):
            if bytes == 0 || outcome != "completed" { .silent } else { Self.stage(ofFile: file) }
        case .script: .script
        case .console, .bootDevice: .silent
        case .session: .agent
        case .trouble: .silent
        }
    }

    private static func stage(ofFile file: String) -> BootTrace.Stage {
        switch AgentFile(path: file)?.name {
        case .kernel: .kernel
        case .initrd: .initrd
        case nil: file.contains("/images/") ? .silent : .program
        }
    }
}
