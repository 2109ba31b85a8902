import APIModel
import Foundation
import Inventory
import Machines

/// A certificate in words, for a terminal.
enum CertificateText {
    static func describe(_ view: CertificateView) -> String {
        let statement = view.statement
        let machine = statement.machine
        let product = [machine.manufacturer, machine.product].compactMap { $0 }.joined(separator: " ")
        var lines = [
            (
                "id", "\(view.id), issued \(APICoding.format(statement.issuedAt)) by \(statement.installation.name)"
            ),
            ("machine", "\(machine.name) (\(machine.id))" + (product.isEmpty ? "" : ", \(product)")),
            ("serial", machine.serial ?? "-"), ("uuid", machine.uuid ?? "-"),
            ("operation", "\(statement.operation), asked for by \(statement.requestedBy)"),
            ("approved", statement.approvedBy.map { "by \($0)" } ?? "nobody was asked"),
            ("policy", statement.policy.words),
            ("time", "\(APICoding.format(statement.startedAt)) to \(APICoding.format(statement.endedAt))"),
            ("category", statement.category == .none ? "none: no sanitization" : statement.category.rawValue),
        ]
        for disk in statement.disks {
            let name = [disk.model, disk.serial ?? disk.wwn ?? disk.path].compactMap { $0 }.joined(separator: ", ")
            lines.append(("erased", "\(name), \(disk.sizeBytes) bytes (\(disk.transport)): \(disk.category.rawValue)"))
            lines.append(("", "\(disk.method): \(disk.term)"))
            lines.append(
                (
                    "",
                    disk.verification.map { "\($0.kind), \($0.bytes) bytes read back: \($0.finding)" }
                        ?? "nothing was read back"
                ))
            lines += disk.remarks.map { ("", $0) }
        }
        for disk in statement.leftAlone {
            let name = [disk.model, disk.serial ?? disk.wwn ?? disk.path].compactMap { $0 }.joined(separator: ", ")
            lines.append(("left alone", "\(name), \(disk.sizeBytes) bytes (\(disk.transport)): \(disk.reason)"))
        }
        lines += [("before", statement.previous ?? "none: the first"), ("digest", view.digest)]
        return Output.lines(lines)
    }
}
