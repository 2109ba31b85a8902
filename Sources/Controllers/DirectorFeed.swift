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

    init(store: any RecordStore, director: BootDirector, identities: IdentityBook) {
        (self.store, self.director, self.identities) = (store, director, identities)
    }

    /// Loads what the store holds. Called before the first packet is answered: a ready machine must not be taken for unknown.
    public func load() async throws {
        try await store.eachPage(of: Machine.self) { machines in
            for machine in machines { apply(machine) }
            return true
        }
    }

    public func run() async throws {
        try await cancelWhenGracefulShutdown {
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
