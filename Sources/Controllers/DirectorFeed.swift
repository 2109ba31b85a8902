import FoundationEssentials
import Inventory
import Machines
import ServiceLifecycle
import Store

/// Keeps the boot director's index true to the store.
public struct DirectorFeed: Service {
    let store: any RecordStore
    let director: BootDirector
    let profiles: ProfileMatcher

    public init(store: any RecordStore, director: BootDirector, profiles: ProfileMatcher) {
        (self.store, self.director, self.profiles) = (store, director, profiles)
    }

    /// Loads what the store holds. Called before the first packet is answered: a ready machine must not be taken for unknown.
    public func load() async throws {
        for machine in try await store.list(Machine.self).items { apply(machine) }
    }

    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            let (machines, changes) = try await store.listAndWatch(Machine.self)
            for machine in machines { apply(machine) }
            for try await change in changes {
                if let machine = change.item { apply(machine) } else { director.remove(change.id) }
            }
        }
    }

    private func apply(_ machine: Machine) {
        let profile = machine.observed.profile.flatMap { profiles.profile(named: $0) }
        let firmware = machine.observed.hardware?.firmware
        director.update(
            .init(
                machine: machine.id,
                facts: BootFacts(
                    phase: machine.observed.phase, secureBoot: firmware?.secureBoot,
                    bootVolume: machine.observed.bootVolume,
                    takesKexec: (machine.observed.installed?.takesKexec ?? false) && !machine.observed.kexecFailed
                        && profile?.kexec ?? true,
                    preferences: profile?.boot ?? BootPreferences()),
                kernelArguments: profile?.kernelArguments ?? []),
            macs: machine.observed.macs)
    }
}
