import APIModel
import NetworkAddresses
import NetworkBoot

/// What other DHCP servers mean for a subnet of ours. Pure.
enum DoctorRules {
    typealias Finding = DoctorView.Finding

    static func judge(_ answers: [DHCPProbe.Answer], check: String, mode: Subnet.Mode) -> [Finding] {
        let givers = answers.filter { $0.address != nil }
        var findings = answers.filter { $0.bootFile != nil }.map { answer in
            Finding(
                .warning, check, "\(answer.server) names the boot file \(answer.bootFile ?? "")",
                attempt: "take it away there: firmware may prefer it to ours")
        }
        switch mode {
        case .off: break
        case .pool, .reservation:
            findings += givers.map { answer in
                Finding(
                    .failed, check, "\(answer.server) gives addresses too",
                    attempt: "switch it off on this network, or use mode proxy or auto beside it")
            }
        case .proxy, .auto:
            if givers.isEmpty {
                findings.append(
                    Finding(
                        .failed, check, "nobody gives addresses, and mode \(mode.rawValue) needs somebody who does",
                        attempt: "start that server, or use mode pool"))
            } else if givers.count > 1 {
                let servers = givers.map(\.server.description).joined(separator: " and ")
                findings.append(
                    Finding(.warning, check, "\(servers) give addresses", attempt: "one of them should not"))
            }
        }
        return findings.isEmpty ? [Finding(.ok, check, seen(givers, mode))] : findings
    }

    private static func seen(_ givers: [DHCPProbe.Answer], _ mode: Subnet.Mode) -> String {
        givers.first.map { "\($0.server) gives addresses, and names no boot file" } ?? "no other one answers"
    }
}
