import APIModel
import Foundation
import Inventory
import Machines
import NetworkAddresses

/// Machines in words. Pure.
enum MachineText {
    /// A person's, then those of its profile.
    private static func labels(_ machine: MachineView) -> String {
        let ofProfile = machine.labels.filter { machine.labelsOfProfile.contains($0.key) }
        let ofPeople = machine.labels.filter { !machine.labelsOfProfile.contains($0.key) }
        let told = ofProfile.isEmpty ? "" : ProfileText.labels(ofProfile) + " (by the profile)"
        return [ProfileText.labels(ofPeople), told].filter { !$0.isEmpty }.joined(separator: ", ")
    }

    /// Rack and unit; where nobody said, the switch port.
    static func place(_ machine: MachineView) -> String {
        if let location = machine.location { return location.short }
        let heard = machine.switchPorts.first.map { "\($0.name) \($0.port)" } ?? machine.relayPorts.last?.words
        guard let heard else { return "-" }
        return heard.count > 32 ? heard.prefix(31) + "…" : heard
    }

    static func describe(_ machine: MachineView) -> String {
        var lines: [(String, String)] = [
            ("name", machine.name), ("id", machine.id),
            ("phase", "\(machine.phase.rawValue) for \(Output.age(machine.phaseSince))"),
        ]
        if let failure = machine.failure { lines.append(("failure", failure)) }
        lines += [
            ("accepted", machine.accepted ? "yes" : "no"), ("power", machine.power.rawValue),
            ("bmc", machine.bmc?.summary ?? "-"), ("location", machine.location?.description ?? "-"),
            ("network", machine.network?.summary ?? "DHCP"),
            ("profile", machine.profile ?? "-"), ("cluster", machine.cluster ?? "-"),
            ("node", machine.node ?? "-"), ("release", machine.release ?? "-"),
        ]
        if let bmc = machine.bmc, let certificate = bmc.certificate {
            let since =
                bmc.pinnedAt.map { "believed since \(APICoding.format($0))" } ?? "by an authority that is trusted"
            lines.append(("certificate", "SHA-256 \(certificate.sha256), \(since)"))
        }
        for port in machine.switchPorts { lines.append(("switch", "\(port.words) (\(port.mac), by LLDP)")) }
        for port in machine.relayPorts {
            lines.append(("relay", "\(port.words) (\(port.mac), for \(Output.age(port.since)))"))
        }
        if !machine.labels.isEmpty { lines.append(("labels", labels(machine))) }
        if let gives = machine.profileGives {
            // Its labels stand above.
            lines += ProfileText.lines(gives, all: false).filter { $0.0 != "labels" }
        }
        if let expected = machine.expected { lines.append(("expected", expected)) }
        if let question = machine.question {
            lines.append(("question", "is it \(question.resembles)? \(question.comparison); say merge or split"))
        }
        if let operation = machine.operation {
            lines.append(("operation", "\(operation.verb.rawValue) \(operation.id): \(operation.state.rawValue)"))
        }
        for condition in machine.conditions {
            lines.append(("condition", "\(condition.type.rawValue)=\(condition.status) \(condition.reason)"))
        }
        for problem in machine.problems { lines.append(("problem", "\(problem.seen): \(problem.attempt)")) }
        if let hardware = machine.hardware { lines += HardwareText.lines(hardware) }
        return Output.lines(lines)
    }
}
