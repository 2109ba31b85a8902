import DHCP
import FoundationEssentials
import NetworkAddresses

/// Turns the packets of one machine's boots into milestones: each milestone once in a boot, however often firmware repeats itself.
public struct BootTracker: Sendable {
    /// How far a boot has come, in the order in which boots do.
    public enum Milestone: Int, Comparable, Sendable {
        case firmware, dhcp, transfer, ipxe, script, kernel, system

        public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// A milestone that was just reached.
    public struct Report: Equatable, Sendable {
        public var milestone: Milestone
        public var message: String
        public var details: [String: String]

        public var eventType: Event.Kind {
            switch milestone {
            case .firmware: .bootFirmware
            case .dhcp: .bootDHCP
            case .transfer: details["transport"] == BootTraceEvent.Transport.http.rawValue ? .bootHTTP : .bootTFTP
            case .ipxe: .bootIPXE
            case .script: .bootScript
            case .kernel: .bootKernel
            case .system: .bootSystem
            }
        }
    }

    private var reached: Set<Milestone> = []
    /// Boots seen so far, the one under way included.
    public private(set) var boots = 0
    private var last: Date?

    /// A firmware that shows nothing for this long has started anew.
    static let silence: Double = 120

    public init() {}

    /// The furthest milestone of the boot under way.
    public var furthest: Milestone? { reached.max() }

    /// Feeds one step; returns the milestones it completes.
    public mutating func note(_ event: BootTraceEvent) -> [Report] {
        defer { last = event.time }
        switch event.step {
        case .discover(let stage, let architecture):
            return discover(
                stage, ["architecture": architecture.map { "\($0.rawValue)" }, "location": event.location],
                at: event.time)
        case .request(let stage):
            // A system may remember its address and never ask what there is.
            return stage == .system ? discover(stage, [:], at: event.time) : []
        case .offer(let address, let file, _):
            // Without an address it is a proxy's: another server hands those out, unseen by us.
            guard address == nil, let file, !event.isIPv6 else { return [] }
            return reach(.dhcp, "boot file \(file) beside another server's address", ["file": file])
        case .acknowledge(let address, let file):
            guard address != nil || file != nil else { return [] }
            let parts = [address.map { "address \($0)" }, file.map { "boot file \($0)" }].compactMap { $0 }
            return reach(
                .dhcp, parts.joined(separator: ", "),
                ["address": address.map(\.description), "file": file].compactMapValues { $0 })
        case .transferStarted:
            return []
        case .transferFinished(let transport, let file, let bytes, let milliseconds, _, let outcome):
            let details = [
                "file": file, "bytes": "\(bytes)", "milliseconds": "\(milliseconds)", "outcome": outcome,
                "transport": transport.rawValue,
            ]
            let words = "\(file), \(bytes) bytes in \(milliseconds) ms by \(transport.rawValue.uppercased())"
            // Every file that is not the agent's is a boot program.
            if let agent = AgentFile(path: file) {
                return agent.name == .initrd ? reach(.kernel, words, details) : []
            }
            return file.hasPrefix("/images/") || bytes == 0 ? [] : reach(.transfer, words, details)
        case .script(let name):
            return reach(.script, "script \(name)", ["script": name])
        case .session, .trouble, .console, .bootDevice:
            return []
        }
    }

    private mutating func discover(_ stage: BootClient.Stage, _ facts: [String: String?], at time: Date) -> [Report] {
        let details = facts.compactMapValues { $0 }.merging(["stage": stage.rawValue]) { $1 }
        let silent = last.map { time.timeIntervalSince($0) > Self.silence } ?? true
        switch stage {
        case .agent, .grub:
            return []
        case .system:
            // Renewals, and clients that never booted from here, are no boot.
            guard let furthest, furthest >= .script else { return [] }
            return reach(.system, "the installed system asks for its address", details)
        case .firmware:
            if silent || (furthest ?? .firmware) >= .transfer { begin() }
            return reach(.firmware, "firmware asks for an address and a boot file", details)
        case .ipxe:
            // iPXE in a BIOS option ROM is the firmware; iPXE that we sent comes after a transfer.
            if silent || (furthest ?? .firmware) >= .script { begin() }
            let started = reach(.firmware, "firmware (iPXE in ROM) asks for an address and a boot file", details)
            return started.isEmpty ? reach(.ipxe, "iPXE asks for its script", details) : started
        }
    }

    private mutating func begin() {
        reached = []
        boots += 1
    }

    private mutating func reach(_ milestone: Milestone, _ message: String, _ details: [String: String]) -> [Report] {
        guard reached.insert(milestone).inserted else { return [] }
        return [Report(milestone: milestone, message: message, details: details)]
    }
}
