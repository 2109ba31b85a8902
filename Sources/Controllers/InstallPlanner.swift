import FoundationEssentials
import Inventory
import Machines
import OperatingSystems
import Store

/// Works out how one operation is to be carried out on one machine's hardware, or what stands in its way.
struct InstallPlanner: Sendable {
    let store: any RecordStore
    let profiles: ProfileMatcher
    let images: any ImageSource

    struct Plan: Sendable {
        var release: OSRelease
        var driver: any OperatingSystem
        var disk: Disk
        var profile: HardwareProfile?
        var facts: MachineFacts
    }

    /// What stands in the way, in words; nil: nothing.
    func obstacle(to operation: Operation, on machine: Machine) async -> String? {
        do {
            _ = try await plan(operation, on: machine)
            return nil
        } catch {
            return "\(error)"
        }
    }

    func plan(_ operation: Operation, on machine: Machine) async throws -> Plan {
        guard machine.desired.accepted, !machine.desired.protected else {
            throw ServiceError(.conflict, "\(machine.name) is not accepted or is protected; nothing is installed on it")
        }
        let wanted = operation.assignment
        guard let release = try await store.list(OSRelease.self).items.first(where: { $0.name == wanted.release })
        else {
            throw ServiceError(.notFound, "the OS release \(wanted.release) is gone; add it again or ask for another")
        }
        guard let driver = OperatingSystemCatalog.driver(named: release.os) else {
            throw ServiceError(.notFound, "no driver installs \(release.os)")
        }
        guard await images.path(ofImage: release.image.sha256) != nil else {
            throw ServiceError(.notFound, "the image of \(release.name) is not in the library; add the release again")
        }
        guard let hardware = machine.observed.hardware else {
            throw ServiceError(.conflict, "\(machine.name) has not reported its hardware; boot it from the network")
        }
        guard hardware.processor.architecture == release.architecture else {
            throw ServiceError(
                .conflict,
                "\(release.name) is for \(release.architecture), and \(machine.name) is \(hardware.processor.architecture)"
            )
        }
        let profile = machine.observed.profile.flatMap { profiles.profile(named: $0) }
        if let refusal = profile?.refusal(of: release.name) {
            throw ServiceError(.conflict, "\(machine.name): \(refusal)")
        }
        let disk = try RootDiskChoice.choose(
            wanted.rootDisk ?? profile?.rootDisk ?? RootDiskHint(), from: hardware.disks,
            minimumBytes: release.minimumDiskBytes)
        // An install that was begun has destroyed what was there; its own debris does not stop the next attempt.
        guard !disk.holdsData || wanted.eraseExistingData || operation.attempts > 0 else {
            throw ServiceError(
                .conflict,
                "\(disk.summary) holds data (\(disk.signatures.joined(separator: ", "))); "
                    + "say --erase when you provision to overwrite it")
        }
        return Plan(release: release, driver: driver, disk: disk, profile: profile, facts: hardware.facts)
    }
}
