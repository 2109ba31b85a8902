import FoundationEssentials
import Machines
import NetworkAddresses

/// One attempt to boot from the network, as the REST API shows it.
public struct BootView: Codable, Sendable {
    public var mac: MACAddress
    /// Name of the machine; absent while the MAC belongs to none.
    public var machine: String?
    public var startedAt: Date
    public var lastAt: Date
    /// How far it came: `offered`, `program`, `ipxe`, `agent`, …
    public var stage: String
    /// Switch and port, as a DHCP relay told them.
    public var location: String?
    /// Why it stopped; absent while it goes well.
    public var diagnosis: BootDiagnosis?
    /// What was seen, in order; absent in lists.
    public var steps: [Step]?
    /// The serial console's last screen of this attempt; absent where none was recorded, and for who may read only.
    public var screen: [String]?

    public struct Step: Codable, Sendable {
        public var time: Date
        /// Times it was seen in a row.
        public var count: Int
        /// In words.
        public var text: String
    }

    /// - Parameter traces: the attempts of one MAC up to this one, the newest last.
    public init?(_ traces: [BootTrace], machine: String?, withSteps: Bool, now: Date) {
        guard let trace = traces.last else { return nil }
        (mac, self.machine) = (trace.mac, machine)
        (startedAt, lastAt, location) = (trace.startedAt, trace.lastAt, trace.location)
        stage = "\(trace.stage)"
        diagnosis = BootDiagnosis.of(traces, now: now)
        steps =
            withSteps
            ? trace.entries.map { Step(time: $0.time, count: $0.count, text: $0.step.description) } : nil
    }
}
