import FoundationEssentials
import Inventory
import Machines
import NetworkAddresses
import OperatingSystems
import Store

/// Works out how one operation is to be carried out on one machine's hardware, or what stands in its way.
struct OperationPlanner: Sendable {
    let store: any RecordStore
    let profiles: ProfileBook
    let images: any ImageSource
    let renderer: InstallationRenderer

    /// How long the machine may stay in a phase, by its profile.
    func deadlines(of machine: Machine) -> PhaseDeadlines {
        machine.observed.profile.flatMap { profiles.profile(named: $0) }?.deadlines ?? PhaseDeadlines()
    }

    struct Plan: Sendable {
        var release: OSRelease
        var driver: any OperatingSystem
        var disk: Disk
        var profile: HardwareProfile?
        var facts: MachineFacts
    }

    /// What stands in the way of what is left of the operation, in words; nil: nothing.
    func obstacle(to operation: Operation, on machine: Machine) async -> String? {
        guard machine.desired.accepted, !machine.desired.protected else {
            return "\(machine.name) is not accepted or is protected; nothing is done to its disks"
        }
        let left = operation.steps.dropFirst(operation.done.count)
        do {
            if left.contains(.wipe) { _ = try wipePlan(of: operation, on: machine) }
            if left.contains(.install), operation.installedAt == nil, let assignment = operation.assignment {
                let plan = try await plan(operation, on: machine)
                // What cannot be said in the system's words, or entered on this machine, is known before anything is done. Of the secrets, which
                // may be on a command line, the length counts.
                let rendering = try await renderer.render(
                    plan, machine, assignment, bootMAC: machine.anyPort, .random())
                _ = try InstallTask(rendering, plan, machine, bootURL: renderer.installation.bootURL)
            }
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// The plan of an operation: the disks that the person was shown who asked for it.
    /// - Throws: ``WipeObstacle``, ``ServiceError``; also when the machine's disks are others meanwhile.
    func wipePlan(of operation: Operation, on machine: Machine) throws -> WipePlan {
        let plan = try wipePlan(operation.wipe ?? WipeRequest(), on: machine, operation.assignment)
        let found = plan.targets.map { DiskTarget($0.disk) }
        guard let wanted = operation.targets else { return plan }
        let gone = wanted.filter { !found.contains($0) }
        guard gone.isEmpty else {
            throw WipeObstacle(
                "\(machine.name) does not have \(gone.map(\.words).joined(separator: "; ")) any more, which was to be erased: find the disk, "
                    + "or ask again for those that are left")
        }
        if let other = plan.targets.first(where: { !wanted.contains(DiskTarget($0.disk)) }) {
            throw WipeObstacle(
                "\(other.disk.summary) was not there when \(operation.requestedBy) asked to erase \(machine.name): ask again, and look at it first"
            )
        }
        return plan
    }

    /// - Throws: ``WipeObstacle``, ``ServiceError``.
    func wipePlan(
        _ request: WipeRequest, on machine: Machine, _ assignment: Machine.Assignment?
    ) throws -> WipePlan {
        guard let hardware = machine.observed.hardware else {
            throw ServiceError(.conflict, "\(machine.name) has not reported its hardware; boot it from the network")
        }
        let profile = machine.observed.profile.flatMap { profiles.profile(named: $0) }
        return try WipePlan.make(
            request, disks: hardware.disks, profilePolicy: profile?.wipe,
            rootDisk: try rootDisk(of: machine, hardware, assignment ?? machine.desired.assignment, profile, request))
    }

    /// The disk that has the system, or would get it. Looked for only where the request is about it.
    private func rootDisk(
        of machine: Machine, _ hardware: HardwareReport, _ assignment: Machine.Assignment?,
        _ profile: HardwareProfile?, _ request: WipeRequest
    ) throws -> Disk? {
        guard request.scope == .rootDisk else { return nil }
        if let installed = machine.observed.installed,
            let disk = try? OrderVerifier.disk(installed.disk, among: hardware.disks)
        {
            return disk
        }
        return try RootDiskChoice.choose(
            assignment?.rootDisk ?? profile?.rootDisk ?? RootDiskHint(), from: hardware.disks, minimumBytes: 0)
    }

    /// The plan of an operation's install, as far as its release and the machine's disks allow one.
    func plan(_ operation: Operation, on machine: Machine) async throws -> Plan {
        guard machine.desired.accepted, !machine.desired.protected else {
            throw ServiceError(.conflict, "\(machine.name) is not accepted or is protected; nothing is installed on it")
        }
        guard let wanted = operation.assignment else {
            throw ServiceError(.conflict, "operation \(operation.id) installs nothing")
        }
        let plan = try await self.plan(wanted, on: machine)
        // An install that was begun has destroyed what was there; its own debris does not stop the next attempt. What a wipe of this operation is
        // about to erase stops nothing, either.
        let wiped =
            operation.step == .install ? nil : try operation.wipe.map { _ in try wipePlan(of: operation, on: machine) }
        let isWipedFirst = wiped?.targets.contains { $0.disk == plan.disk } ?? false
        guard !plan.disk.holdsData || wanted.eraseExistingData || operation.attempts > 0 || isWipedFirst else {
            throw ServiceError(
                .conflict,
                "\(plan.disk.summary) holds data (\(plan.disk.signatures.joined(separator: ", "))); "
                    + "say --erase when you provision to overwrite it")
        }
        return plan
    }

    /// What an assignment would be on this machine, whether or not it may be done now.
    func plan(_ wanted: Machine.Assignment, on machine: Machine) async throws -> Plan {
        guard let release = try await store.list(OSRelease.self).items.first(where: { $0.name == wanted.release })
        else {
            throw ServiceError(.notFound, "the OS release \(wanted.release) is gone; add it again or ask for another")
        }
        guard let driver = OperatingSystemCatalog.driver(named: release.os) else {
            throw ServiceError(.notFound, "no driver installs \(release.os)")
        }
        for (role, artifact) in release.artifacts where await images.path(ofImage: artifact.sha256) == nil {
            throw ServiceError(
                .notFound, "the \(role.rawValue) of \(release.name) is not in the library; add the release again")
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
        return Plan(release: release, driver: driver, disk: disk, profile: profile, facts: hardware.facts)
    }
}

extension Machine {
    /// A port that it may boot from: which one it is going to be is known once its agent asks.
    var anyPort: MACAddress? { observed.macs.first }
}
