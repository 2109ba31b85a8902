import APIClient
import APIModel
import ArgumentParser
import Foundation

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Looks at the daemon's own network: addresses, files, its services, other DHCP servers, clocks.",
        discussion:
            "Asks on every served network for other servers, as a machine would. Ends with status 1 when something failed."
    )
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    /// Seconds between two clocks that nobody need care about.
    static let tolerableSkew: Double = 5

    func run() async throws {
        Output.tell("Looking; other DHCP servers have three seconds to answer.")
        let found = try await connection.withClient { client in
            try await client.call(.get, "/api/v1/doctor", as: DoctorView.self)
        }
        var findings = found.findings
        let skew = found.time.timeIntervalSince(Date())
        if abs(skew) > Self.tolerableSkew {
            findings.append(
                .init(
                    .warning, "clocks", "the daemon's clock differs from this one's by \(Int(skew)) s",
                    attempt: "one of them is wrong"))
        }
        if !format.isTable {
            try format.write(findings)
        } else {
            for finding in findings {
                Output.print("\(Self.mark(finding.status))  \(finding.check): \(finding.seen)")
                if let attempt = finding.attempt { Output.print("         \(attempt)") }
            }
        }
        if findings.contains(where: { $0.status == .failed }) { throw ExitCode(1) }
    }

    private static func mark(_ status: DoctorView.Status) -> String {
        switch status {
        case .ok: "ok     "
        case .warning: "warning"
        case .failed: "FAILED "
        }
    }
}
