import FoundationEssentials
import Inventory
import Machines
import NetworkAddresses

/// Work on a machine and how far it is.
public struct OperationView: Codable, Sendable {
    public var id: String
    public var verb: Operation.Verb
    /// Id of the machine.
    public var machine: String
    /// Absent where it was forgotten.
    public var machineName: String?
    public var state: Operation.State
    public var requestedBy: String
    public var createdAt: Date
    public var finishedAt: Date?
    public var steps: [StepView]
    /// Why it has not begun; absent once it has.
    public var waitsFor: String?
    public var approvedBy: String?
    public var abortedBy: String?
    /// Orders that an agent began in the present step.
    public var attempts: Int
    /// What went wrong and is tried again.
    public var setback: Operation.Setback?
    /// Why the last power command was not given; absent: it was.
    public var powerFault: String?
    /// What the system that is being installed told of itself last, unproved.
    public var systemWord: Operation.SystemWord?
    public var error: String?
    public var cluster: String?
    public var release: String?
    public var wipe: WipeRequest?
    /// What the newest wipe left of each disk.
    public var disks: [DiskEvidence]?
    /// Id of the wipe's certificate.
    public var certificate: String?
    /// What the agent last said it was doing; absent while it does nothing.
    public var progress: OrderProgress?

    public struct StepView: Codable, Sendable {
        public enum State: String, Codable, Sendable { case done, current, ahead }

        public var step: Operation.Step
        public var state: State
        public var since: Date?
        public var until: Date?
    }

    public init(
        _ operation: Operation, machineName: String? = nil, progress: OrderProgress? = nil, waitsFor: String? = nil
    ) {
        self.machineName = machineName
        (id, verb, machine, state) = (operation.id, operation.verb, operation.machine, operation.state)
        (requestedBy, createdAt, finishedAt) = (operation.requestedBy, operation.createdAt, operation.finishedAt)
        steps = operation.steps.enumerated().map { index, step in
            if index < operation.done.count {
                let record = operation.done[index]
                return StepView(step: step, state: .done, since: record.since, until: record.until)
            }
            let isCurrent = index == operation.done.count && operation.state == .running
            return StepView(
                step: step, state: isCurrent ? .current : .ahead, since: isCurrent ? operation.stepSince : nil)
        }
        (self.waitsFor, approvedBy, abortedBy) = (waitsFor, operation.approval?.approvedBy, operation.abortedBy)
        (attempts, setback, error) = (operation.attempts, operation.setback, operation.error)
        (powerFault, systemWord) = (operation.powerFault, operation.systemWord)
        (cluster, release) = (operation.assignment?.cluster, operation.assignment?.release)
        (wipe, disks, certificate) = (operation.wipe, operation.disks, operation.certificate)
        self.progress = progress
    }
}

/// What a wipe would do: the answer to a request with `dryRun`.
public struct WipePlanView: Codable, Sendable {
    /// Name of the machine.
    public var machine: String
    public var plan: WipePlan
    /// One line for each disk, for people.
    public var lines: [String]

    /// - Parameter goal: what follows the wipe, in words.
    public init(machine: String, plan: WipePlan, goal: String? = nil) {
        (self.machine, self.plan, lines) = (machine, plan, WipePlan.words(plan) + (goal.map { [$0] } ?? []))
    }
}

/// `GET /api/v1/tombstones`: machines that were forgotten.
public struct TombstoneView: Codable, Sendable {
    public var id: String
    public var name: String
    public var serial: String?
    public var macs: [String]
    public var phase: Phase
    public var node: String?
    public var mayHoldData: Bool
    public var forgottenBy: String
    public var forgottenAt: Date

    public init(_ tombstone: Tombstone) {
        (id, name, serial) = (tombstone.id, tombstone.name, tombstone.serial)
        (macs, phase, node) = (tombstone.macs.map(\.description), tombstone.phase, tombstone.node)
        (mayHoldData, forgottenBy) = (tombstone.mayHoldData, tombstone.forgottenBy)
        forgottenAt = tombstone.forgottenAt
    }
}
