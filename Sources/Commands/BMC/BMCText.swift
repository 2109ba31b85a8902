import APIModel
import Foundation
import Machines

/// BMCs in words.
enum BMCText {
    static func describe(_ finding: BMCProbe.Finding) -> String {
        var lines = ["\(finding.kind.rawValue), port \(finding.port): \(finding.outcome.rawValue)"]
        if !finding.facts.isEmpty { lines.append("  " + finding.facts.joined(separator: "; ")) }
        if let certificate = finding.certificate { lines += describe(certificate).map { "  " + $0 } }
        if let description = finding.description { lines += describe(description).map { "  " + $0 } }
        if let problem = finding.problem { lines.append("  " + problem) }
        return lines.joined(separator: "\n")
    }

    static func describe(_ certificate: BMCCertificate) -> [String] {
        let authority = certificate.isAuthorized ? "by an authority that is trusted" : "by \(certificate.issuer)"
        return [
            "certificate  \(certificate.subject), signed \(authority), until \(APICoding.format(certificate.notAfter))",
            "SHA-256      \(certificate.sha256)",
        ]
    }

    static func describe(_ description: BMCDescription) -> [String] {
        let rows: [(String, String?)] = [
            ("protocol", description.specification), ("vendor", description.vendor), ("model", description.model),
            ("firmware", description.firmware), ("machine", description.system), ("serial", description.serial),
            ("uuid", description.uuid), ("power", description.power.rawValue),
            ("can", description.abilities.isEmpty ? nil : description.abilities.joined(separator: ", ")),
        ]
        return rows.compactMap { row in
            row.1.map { row.0.padding(toLength: 13, withPad: " ", startingAt: 0) + $0 }
        }
    }

    static func describe(_ network: BMCNetwork) -> [String] {
        let rows: [(String, String?)] = [
            ("source", network.source.rawValue), ("address", "\(network.address)"), ("netmask", "\(network.netmask)"),
            ("gateway", network.gateway.map { "\($0)" }), ("mac", network.mac.map { "\($0)" }),
            ("vlan", network.vlan.map { "\($0)" }),
        ]
        return rows.compactMap { row in
            row.1.map { row.0.padding(toLength: 13, withPad: " ", startingAt: 0) + $0 }
        }
    }

    /// `23.5 °C`, `2160 RPM`.
    static func value(_ reading: SensorReading) -> String {
        guard let value = reading.value else { return "-" }
        let text =
            abs(value) >= 100 || value == value.rounded()
            ? String(format: "%.0f", value) : String(format: "%.2f", value)
        return reading.unit.isEmpty ? text : "\(text) \(reading.unit)"
    }
}
