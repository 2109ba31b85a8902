import FoundationEssentials
import Inventory
import Machines
import ServiceLifecycle
import Store

/// Keeps the boot director's index true to the store.
public struct DirectorFeed: Service {
    let store: any RecordStore
    let director: BootDirector
    let identities: IdentityBook
    let starts: NetworkStarts

    init(store: any RecordStore, director: BootDirector, identities: IdentityBook, starts: NetworkStarts) {
        (self.store, self.director) = (store, director)
        (self.identities, self.starts) = (identities, starts)
    }

    /// Loads what the store holds. Called before the first packet is answered: a ready machine must not be taken for unknown.
    public func load() async throws {
        try await store.eachPage(of: Machine.self) { machines in
            for machine in machines { apply(machine) }
            return true
        }
        for start in try await store.list(NetworkStart.self).items { starts.update(start) }
    }

    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await followMachines() }
                tasks.addTask { try await followStarts() }
                try await tasks.next()
                tasks.cancelAll()
            }
        }
    }

    private func followStarts() async throws {
        let changes = try await store.follow(NetworkStart.self) { for start in $0 { starts.update(start) } }
        for try await change in changes {
            if let start = change.item { starts.update(start) } else { starts.remove(change.id) }
        }
    }

    private func followMachines() async throws {
        let changes = try await store.follow(Machine.self) { machines in
            for machine in machines { apply(machine) }
        }
        for try await change in changes {
            guard let machine = change.item else {
                director.remove(change.id)
                identities.remove(change.id)
                continue
            }
            apply(machine)
        }
    }

    private func apply(_ machine: Machine) {
        identities.update(machine)
        let firmware = machine.observed.hardware?.firmware
        director.update(
            .init(
                machine: machine.id, uuid: machine.identity.uuid, isQuestioned: machine.observed.question != nil,
                facts: BootFacts(
                    phase: machine.observed.phase, secureBoot: firmware?.secureBoot,
                    bootVolume: machine.observed.bootVolume,
                    takesKexec: (machine.observed.installed?.takesKexec ?? false) && !machine.observed.kexecFailed),
                profile: machine.observed.profile),
            macs: machine.observed.macs)
    }
}
