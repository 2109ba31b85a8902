import NetworkAddresses

/// What machines are selected by.
public struct SelectableMachine: Equatable, Sendable, Identifiable {
    public var id: String
    public var name: String
    public var serial: String?
    public var macs: [MACAddress]
    /// A person's and those of its profile.
    public var labels: [String: String]
    public var location: Location?
    public var phase: Phase
    public var profile: String?
    public var cluster: String?
    public var release: String?
    public var node: String?
    public var power: PowerState
    public var accepted: Bool
    public var protected: Bool

    public init(
        id: String, name: String, serial: String? = nil, macs: [MACAddress] = [], labels: [String: String] = [:],
        location: Location? = nil, phase: Phase = .discovered, profile: String? = nil, cluster: String? = nil,
        release: String? = nil, node: String? = nil, power: PowerState = .unknown, accepted: Bool = false,
        protected: Bool = false
    ) {
        (self.id, self.name, self.serial, self.macs, self.labels) = (id, name, serial, macs, labels)
        (self.location, self.phase, self.profile, self.cluster) = (location, phase, profile, cluster)
        (self.release, self.node, self.power) = (release, node, power)
        (self.accepted, self.protected) = (accepted, protected)
    }

    public init(_ machine: Machine) {
        self.init(
            id: machine.id, name: machine.name, serial: machine.observed.hardware?.facts.serial,
            macs: machine.observed.macs, labels: machine.effectiveLabels, location: machine.desired.location,
            phase: machine.observed.phase, profile: machine.observed.profile,
            cluster: machine.desired.assignment?.cluster,
            release: machine.observed.installedRelease ?? machine.desired.assignment?.release,
            node: machine.observed.node, power: machine.observed.power, accepted: machine.desired.accepted,
            protected: machine.desired.protected)
    }
}

/// A fact by which an expression selects; every other name before a `=` is a label's.
enum SelectionFact: String, CaseIterable, Sendable {
    case name, id, serial, mac, site, row, rack, unit, phase, profile, cluster, release, node, power, accepted
    case protected

    /// The words that there are, where that is a closed set.
    var words: [String]? {
        switch self {
        case .phase: Phase.allCases.map(\.rawValue)
        case .power: ["on", "off", "unknown"]
        case .accepted, .protected: ["true", "false"]
        default: nil
        }
    }

    /// What a machine has of it; units and addresses are compared as such and not here.
    func value(of machine: SelectableMachine) -> String? {
        switch self {
        case .name: machine.name
        case .id: machine.id
        case .serial: machine.serial
        case .mac: machine.macs.first?.description
        case .site: machine.location?.site
        case .row: machine.location?.row
        case .rack: machine.location?.rack
        case .unit: machine.location?.units?.description
        case .phase: machine.phase.rawValue
        case .profile: machine.profile
        case .cluster: machine.cluster
        case .release: machine.release
        case .node: machine.node
        case .power: machine.power.rawValue
        case .accepted: "\(machine.accepted)"
        case .protected: "\(machine.protected)"
        }
    }

    /// That no machine has such a value, in words.
    func missing(_ value: String) -> String {
        switch self {
        case .name: "no machine is called \(value)"
        case .site, .row, .rack: "no machine stands in \(rawValue) \(value)"
        case .profile: "no machine has the profile \(value)"
        case .cluster: "no machine is of the cluster \(value)"
        case .release: "no machine has the release \(value)"
        case .node: "no machine is the node \(value)"
        default: "no machine has the \(rawValue) \(value)"
        }
    }
}
