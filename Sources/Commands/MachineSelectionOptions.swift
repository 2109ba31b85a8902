import APIClient
import APIModel
import ArgumentParser
import Inventory
import Machines

/// Which machines of all are meant. See docs/selecting-machines.md.
struct MachineSelection: Sendable {
    var expression: MachineSelector?
    var labels: LabelSelector?

    /// - Throws: `ValidationError` that shows the place.
    init(expression words: [String] = [], labels: String? = nil) throws {
        let text = words.joined(separator: " ")
        do {
            if !text.isEmpty { expression = try MachineSelector(text) }
        } catch {
            throw ValidationError("this selects no machines:\n" + error.shown(in: text))
        }
        guard let labels else { return }
        do {
            self.labels = try LabelSelector(labels)
        } catch {
            throw ValidationError("this is no selector of labels:\n" + error.shown(in: labels))
        }
    }

    /// Those of all machines that are meant.
    /// - Throws: ``ClientError``-like words with each name that is nobody's.
    func select(from machines: [MachineView]) throws -> [MachineView] {
        var chosen = machines
        if let expression {
            do {
                let ids = Set(try expression.select(from: machines.map(\.selectable)).machines.map(\.id))
                chosen = chosen.filter { ids.contains($0.id) }
            } catch {
                throw SelectionError(faults: error, text: expression.text)
            }
        }
        if let labels { chosen = chosen.filter { labels.matches($0.labels) } }
        return chosen
    }

    /// Whether one machine is meant, whatever others there are.
    func contains(_ machine: MachineView) -> Bool {
        (expression.map { $0.contains(machine.selectable) } ?? true) && (labels?.matches(machine.labels) ?? true)
    }
}

/// An expression that names what there is not. Nothing was done.
struct SelectionError: Error, CustomStringConvertible {
    var faults: SelectionFaults
    var text: String

    var description: String { faults.faults.map { $0.shown(in: text) }.joined(separator: "\n") }
}

extension MachineView {
    /// What it is selected by.
    var selectable: SelectableMachine {
        SelectableMachine(
            id: id, name: name, serial: serial ?? hardware?.facts.serial,
            macs: macs ?? hardware?.nics.map(\.mac) ?? [], labels: labels,
            location: location, phase: phase, profile: profile, cluster: cluster, release: release, node: node,
            power: power, accepted: accepted, protected: protected)
    }
}
