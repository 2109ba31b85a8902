import FoundationEssentials
import Inventory
import Machines
import NetworkAddresses

/// A machine as the REST API and `--format json` show it.
public struct MachineView: Codable, Sendable {
    public var id: String
    public var name: String
    public var phase: Phase
    public var phaseSince: Date
    /// Why it failed; absent otherwise.
    public var failure: String?
    /// What a person would try next, such as `retry`; absent when it did not fail.
    public var remedy: MachineVerb?
    /// What it does for its cluster.
    public var role: Machine.NodeRole?
    public var accepted: Bool
    public var protected: Bool
    public var profile: String?
    public var power: PowerState
    public var cluster: String?
    public var node: String?
    public var release: String?
    public var hostname: String
    /// Its system's serial number, once it was reported.
    public var serial: String?
    /// Every MAC it was seen with.
    public var macs: [MACAddress]?
    /// Where people say that it stands.
    public var location: Location?
    /// Where its switches say that it is plugged in, by LLDP.
    public var switchPorts: [SwitchPort]
    /// Where DHCP relays say that it is plugged in, by option 82.
    public var relayPorts: [RelayPort]
    /// The announcement that it was matched with.
    public var expected: String?
    public var bmc: BMCView?
    /// Name of the user that the agent is making in the BMC.
    public var bmcSetUp: String?
    /// Why the agent could not make the one it was asked for last.
    public var bmcSetUpFailure: String?
    /// The network of the installed system; absent: DHCP.
    public var network: MachineNetwork?
    /// Its system's own configuration is changed by a patch, which is told to nobody.
    public var hasPatch: Bool
    /// A person's and those of its profile, where of one key a person's counts.
    public var labels: [String: String]
    /// Which of them are the profile's word.
    public var labelsOfProfile: [String]
    public var conditions: [Condition]
    /// It looks like a machine that is known: merge or split.
    public var question: Machine.IdentityQuestion?
    public var operation: OperationView?
    /// What is wrong with its hardware, and what to do.
    public var problems: [HardwareProblem]
    public var hardware: HardwareReport?
    /// What its hardware profile gives it; absent in lists.
    public var profileGives: ProfileGifts?
    /// The ETag: counts changes that people asked for.
    public var generation: Int64
    public var createdAt: Date
    public var updatedAt: Date

    public init(_ machine: Machine, operation: OperationView? = nil, profile found: HardwareProfile? = nil) {
        (id, name, labels) = (machine.id, machine.name, machine.effectiveLabels)
        labelsOfProfile = (machine.observed.profileLabels ?? [:]).keys.filter { machine.labels[$0] == nil }.sorted()
        profileGives = found.map { ProfileGifts($0) }
        (phase, phaseSince) = (machine.observed.phase, machine.observed.phaseSince)
        (failure, remedy) = (machine.observed.failure?.reason, machine.observed.failure?.next)
        role = machine.desired.assignment.map { $0.role ?? .worker }
        (accepted, protected) = (machine.desired.accepted, machine.desired.protected)
        (profile, power, node) = (machine.observed.profile, machine.observed.power, machine.observed.node)
        cluster = machine.desired.assignment?.cluster
        release = machine.observed.installedRelease ?? machine.desired.assignment?.release
        (hostname, location) = (machine.hostname, machine.desired.location)
        (serial, macs) = (machine.observed.hardware?.facts.serial, machine.observed.macs)
        switchPorts = machine.observed.hardware?.switchPorts ?? []
        relayPorts = machine.observed.relayPorts ?? []
        expected = machine.observed.expected?.name
        bmc = machine.desired.bmc.map { BMCView($0, machine.observed.bmc) }
        let setUp = machine.observed.bmcSetUp
        (bmcSetUp, bmcSetUpFailure) = (setUp?.failure == nil ? setUp?.username : nil, setUp?.failure)
        (network, hasPatch) = (machine.desired.network, machine.desired.patch != nil)
        conditions = machine.observed.conditions
        question = machine.observed.question
        self.operation = operation
        hardware = machine.observed.hardware
        problems = machine.observed.hardware?.problems ?? []
        (generation, createdAt, updatedAt) = (machine.generation, machine.createdAt, machine.updatedAt)
    }
}
