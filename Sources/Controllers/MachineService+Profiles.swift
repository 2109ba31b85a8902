import APIModel
import FoundationEssentials
import Inventory
import Machines
import Store

extension MachineService {
    /// Matches every machine's hardware again. Called at the daemon's start, whose profiles may be others than those of its former run.
    /// - Returns: how many machines have another profile, or other labels by it.
    @discardableResult public func rematch() async throws -> Int {
        let (now, revision) = (now(), profiles.revision)
        var changed = 0
        for id in try await store.compactMap(Machine.self, { isOutdated($0) ? $0.id : nil }) {
            changed += try await store.transaction { transaction in
                guard var machine = try await transaction.get(Machine.self, id),
                    let hardware = machine.observed.hardware
                else { return 0 }
                let former = machine.observed
                let event = machine.take(profiles.match(hardware), at: now)
                guard machine.observed != former else { return 0 }
                try transaction.put(machine)
                if let event { try transaction.put(event) }
                return 1
            }
        }
        profiles.noteMatched(revision)
        return changed
    }

    private func isOutdated(_ machine: Machine) -> Bool {
        guard let hardware = machine.observed.hardware else { return false }
        var again = machine
        _ = again.take(profiles.match(hardware), at: machine.updatedAt)
        return again.observed != machine.observed
    }

    /// What would become of the machines with other profiles. Nothing is changed.
    /// - Throws: ``ServiceError`` `invalid` when the question makes no sense.
    public func tryProfiles(adding added: [HardwareProfile], removing removed: [String]) async throws
        -> ProfileTrialView
    {
        let trial: ProfileTrial
        do {
            trial = try ProfileTrial(of: profiles.matcher, adding: added, removing: removed)
        } catch {
            throw ServiceError(.invalid, error.description)
        }
        var view = ProfileTrialView()
        try await store.eachPage(of: Machine.self) { machines in
            for machine in machines {
                guard let hardware = machine.observed.hardware else {
                    view.unread += 1
                    continue
                }
                switch trial.judge(hardware) {
                case .same: view.same += 1
                case .replaced: view.replaced += 1
                case .changed(let change):
                    view.changes.append(.init(machine: machine.id, name: machine.name, change: change))
                }
            }
            return true
        }
        view.changes.sort { $0.name < $1.name }
        return view
    }
}
