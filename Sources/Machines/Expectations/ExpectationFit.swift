import FoundationEssentials
import Inventory
import NetworkAddresses

extension ExpectedMachine {
    /// What of the machine that was matched is not as announced. Pure.
    /// - Parameter isNameFree: no other machine has the announced name.
    public func mismatches(with machine: Machine, isNameFree: Bool) -> [ExpectationMismatch] {
        guard let hardware = machine.observed.hardware else { return [] }
        var found: [ExpectationMismatch] = []
        let serial = FirmwareText.serial(hardware.system.serial)
        if let wanted = FirmwareText.serial(announced.serial), let serial, wanted != serial {
            found.append(.init(.serial, announced: announced.serial ?? "", found: hardware.system.serial ?? ""))
        }
        let macs = hardware.identity.macs
        if let missing = announced.macs.first(where: { !macs.contains($0) }) {
            found.append(.init(.macs, announced: "\(missing)", found: Self.list(macs.map(\.description))))
        }
        found += [bmcMismatch(with: machine, hardware), switchMismatch(with: hardware)].compactMap { $0 }
        if let profile = announced.profile, profile != machine.observed.profile {
            found.append(.init(.profile, announced: profile, found: machine.observed.profile ?? "none that matches"))
        }
        if let location = announced.location, let other = machine.desired.location, location != other,
            !mayReplaceLocation(of: machine)
        {
            found.append(.init(.location, announced: "\(location)", found: "\(other), set by hand"))
        }
        if machine.name != announced.name {
            if !isNameFree {
                found.append(.init(.name, announced: announced.name, found: "another machine of that name"))
            } else if !machine.observed.phase.mayBeRenamed {
                found.append(
                    .init(.name, announced: announced.name, found: "\(machine.name), which has its system"))
            }
        }
        return found
    }

    private func bmcMismatch(with machine: Machine, _ hardware: HardwareReport) -> ExpectationMismatch? {
        guard let bmc = announced.bmc else { return nil }
        let wanted = "\(bmc.address)"
        if let told = hardware.bmc?.address, told != wanted {
            return .init(.bmc, announced: wanted, found: "\(told), as the machine's BMC says in-band")
        }
        guard let endpoint = machine.desired.bmc, endpoint.address != wanted, !mayReplaceBMC(of: machine) else {
            return nil
        }
        return .init(.bmc, announced: wanted, found: "\(endpoint.address), set by hand")
    }

    private func switchMismatch(with hardware: HardwareReport) -> ExpectationMismatch? {
        guard let wanted = announced.switchPort else { return nil }
        let heard = hardware.switchPorts
        guard !heard.contains(where: { $0.port == wanted.port && (wanted.name ?? $0.name) == $0.name }) else {
            return nil
        }
        return .init(
            .switchPort, announced: wanted.words,
            found: heard.isEmpty
                ? "none: no switch was heard by LLDP yet" : Self.list(heard.map { "\($0.name) \($0.port)" }))
    }

    private static func list(_ words: [String]) -> String {
        words.isEmpty ? "none" : words.prefix(4).joined(separator: ", ") + (words.count > 4 ? ", …" : "")
    }

    /// The machine has no location yet, or the announcement was told anew since it was taken over.
    private func mayReplaceLocation(of machine: Machine) -> Bool {
        guard let known = machine.observed.expected, known.name == id, let applied = known.appliedAt else {
            return machine.desired.location == nil
        }
        return applied != updatedAt
    }

    /// The machine has no BMC yet, or the one of an earlier announcement, which was told anew.
    public func mayReplaceBMC(of machine: Machine) -> Bool {
        guard let endpoint = machine.desired.bmc else { return true }
        guard let known = machine.observed.expected, known.name == id, known.bmcAddress == endpoint.address else {
            return false
        }
        return known.bmcAppliedAt != bmcChangedAt
    }

    /// It was announced anew since it was taken over, and this is the machine.
    public func isToBeApplied(to machine: Machine, _ mismatches: [ExpectationMismatch]) -> Bool {
        let known = machine.observed.expected
        return (known?.name != id || known?.appliedAt != updatedAt) && !mismatches.contains(where: \.kind.isOfIdentity)
    }

    /// Takes over what was announced, but for the BMC's password: once, and again when it is announced anew.
    /// - Parameters:
    ///   - mismatches: of ``mismatches(with:isNameFree:)``.
    ///   - bmc: for the machine, when it is to be taken over.
    /// - Returns: what changed, in words.
    public func apply(
        to machine: inout Machine, mismatches: [ExpectationMismatch], bmc: Machine.BMCEndpoint?, at now: Date
    ) -> [String] {
        var link = machine.observed.expected ?? .init(name: id, since: now)
        let isNews = isToBeApplied(to: machine, mismatches)
        guard isNews || link.lacksName == true else { return [] }
        let before = machine
        var words: [String] = []
        let lacksName = mismatches.contains { $0.kind == .name }
        if !lacksName, machine.name != announced.name {
            machine.name = announced.name
            words.append("name \(announced.name)")
        }
        link.lacksName = lacksName ? true : nil
        if isNews {
            words += applyFacts(to: &machine, mismatches)
            if let bmc {
                (machine.desired.bmc, machine.observed.bmc) = (bmc, nil)
                (link.bmcAppliedAt, link.bmcAddress) = (bmcChangedAt, bmc.address)
                words.append("BMC \(bmc.address)")
            }
            link.appliedAt = updatedAt
        }
        if machine.desired != before.desired || machine.name != before.name || machine.labels != before.labels {
            machine.generation += 1
        }
        machine.observed.expected = link
        return words
    }

    /// Host name, location and labels.
    private func applyFacts(to machine: inout Machine, _ mismatches: [ExpectationMismatch]) -> [String] {
        var words: [String] = []
        if let hostname = announced.hostname, machine.observed.phase.mayBeRenamed, machine.desired.hostname != hostname
        {
            machine.desired.hostname = hostname
            words.append("host name \(hostname)")
        }
        if let location = announced.location, !mismatches.contains(where: { $0.kind == .location }),
            machine.desired.location != location
        {
            machine.desired.location = location
            words.append("location \(location)")
        }
        let labels = machine.labels.merging(announced.labels) { $1 }
        if let fault = Labels.fault(labels) {
            words.append("no labels: \(fault)")
        } else if labels != machine.labels {
            machine.labels = labels
            let told = announced.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            words.append("labels " + told.joined(separator: " "))
        }
        return words
    }
}

extension Phase {
    /// Nothing on its disk or in a cluster carries its name yet.
    public var mayBeRenamed: Bool { [.discovered, .inspecting, .available].contains(self) }
}
