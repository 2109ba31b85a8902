import Inventory
import NetworkAddresses

/// Decides which announced machine one that arrived is. Pure. A serial that firmware makes up tells nothing; where several fit, or one is another's
/// already, a person decides, and nobody is matched by choice.
public struct ExpectationMatcher: Sendable {
    /// An announcement, as far as it tells a machine.
    public struct Claim: Equatable, Sendable {
        public var name: String
        /// As ``FirmwareText/serial(_:)`` writes it.
        public var serial: String?
        public var macs: Set<MACAddress>
        /// Id of the machine that it was matched with.
        public var holder: String?

        public init(name: String, serial: String? = nil, macs: Set<MACAddress> = [], holder: String? = nil) {
            (self.name, self.serial, self.macs, self.holder) = (name, FirmwareText.serial(serial), macs, holder)
        }
    }

    /// A machine that reported its hardware.
    public struct Arrival: Equatable, Sendable {
        public var id: String
        public var serial: String?
        /// Permanent addresses of its PCI NICs.
        public var macs: Set<MACAddress>

        public init(id: String, serial: String? = nil, macs: Set<MACAddress> = []) {
            (self.id, self.serial, self.macs) = (id, FirmwareText.serial(serial), macs)
        }
    }

    public enum Verdict: Equatable, Sendable {
        /// No announcement is about it.
        case unexpected
        /// It is this one. Others that would fit as well do not take it away, and are told.
        case matched(String, others: [String])
        /// Several announcements are about it.
        case severalAnnouncements([String])
        /// Others fit the announcement as well: all of them, by id.
        case severalMachines(String, [String])
        /// The announcement is matched with another machine.
        case taken(String, by: String)
    }

    private enum Key: Hashable {
        case serial(String)
        case mac(MACAddress)
    }

    private var claims: [String: Claim] = [:]
    private var arrivals: [String: Arrival] = [:]
    private var claimsByKey: [Key: Set<String>] = [:]
    private var arrivalsByKey: [Key: Set<String>] = [:]

    public init() {}

    /// Puts an announcement, or removes it.
    public mutating func update(_ claim: Claim?, name: String) {
        for key in Self.keys(claims[name]?.serial, claims[name]?.macs) { claimsByKey[key]?.remove(name) }
        claims[name] = claim
        for key in Self.keys(claim?.serial, claim?.macs) { claimsByKey[key, default: []].insert(name) }
    }

    /// Puts a machine, or removes it.
    public mutating func update(_ arrival: Arrival?, id: String) {
        for key in Self.keys(arrivals[id]?.serial, arrivals[id]?.macs) { arrivalsByKey[key]?.remove(id) }
        arrivals[id] = arrival
        for key in Self.keys(arrival?.serial, arrival?.macs) { arrivalsByKey[key, default: []].insert(id) }
    }

    public func verdict(on machine: String) -> Verdict {
        let names = names(fitting: machine)
        if let held = names.first(where: { claims[$0]?.holder == machine }) {
            return .matched(held, others: names.filter { $0 != held })
        }
        guard let name = names.first else { return .unexpected }
        guard names.count == 1 else { return .severalAnnouncements(names) }
        let fitting = machines(fitting: name)
        if let holder = claims[name]?.holder, fitting.contains(holder) { return .taken(name, by: holder) }
        return fitting.count == 1 ? .matched(name, others: []) : .severalMachines(name, fitting)
    }

    /// Announcements that the machine fits by serial or a MAC, sorted.
    public func names(fitting machine: String) -> [String] {
        guard let arrival = arrivals[machine] else { return [] }
        return Self.keys(arrival.serial, arrival.macs).reduce(into: Set<String>()) {
            $0.formUnion(claimsByKey[$1] ?? [])
        }.sorted()
    }

    /// Machines that fit the announcement by serial or a MAC, sorted.
    public func machines(fitting name: String) -> [String] {
        guard let claim = claims[name] else { return [] }
        return Self.keys(claim.serial, claim.macs).reduce(into: Set<String>()) {
            $0.formUnion(arrivalsByKey[$1] ?? [])
        }.sorted()
    }

    private static func keys(_ serial: String?, _ macs: Set<MACAddress>?) -> [Key] {
        (serial.map { [.serial($0)] } ?? []) + (macs ?? []).map { .mac($0) }
    }
}

extension ExpectationMatcher.Claim {
    public init(_ expected: ExpectedMachine) {
        self.init(
            name: expected.id, serial: expected.announced.serial, macs: Set(expected.announced.macs),
            holder: expected.observed.machine)
    }
}

extension ExpectationMatcher.Arrival {
    /// Nil before the first report, and while a person is asked which machine it is: nothing is taken over from one that only looks like it.
    public init?(_ machine: Machine) {
        guard let identity = machine.observed.hardware?.identity, machine.observed.question == nil else { return nil }
        self.init(id: machine.id, serial: identity.serial, macs: Set(identity.macs))
    }
}
