import Foundation
import Logging
import Machines
import NetworkAddresses
import TestSupport
import Testing

@testable import PowerControl

/// Every command of the seam against every peer: what works, what is refused, and why. The table of docs/bmc.md.
@Suite struct PeerTests {
    private static let controller = IPMIController(
        logger: Logger(label: "test"),
        times: IPMITimes(waits: [.milliseconds(700), .milliseconds(1500), .seconds(3)], lanChange: .milliseconds(100)))

    /// A command's outcome in words.
    private static func outcome(_ body: () async throws -> String) async -> String {
        do {
            return try await body()
        } catch let error as BMCError {
            return "\(error.reason.rawValue): \(error.detail)"
        } catch {
            return "\(error)"
        }
    }

    static let commands: [(name: String, run: @Sendable (BMCAccess) async throws -> String)] = [
        ("power", { "works: \(try await controller.power(of: $0).rawValue)" }),
        ("power on", { "works: \(try await controller.perform(.on, on: $0).rawValue)" }),
        ("power cycle", { "works: \(try await controller.perform(.cycle, on: $0).rawValue)" }),
        ("power reset", { "works: \(try await controller.perform(.reset, on: $0).rawValue)" }),
        ("power off", { "works: \(try await controller.perform(.off, on: $0).rawValue)" }),
        ("cycle when off", { "works: \(try await controller.perform(.cycle, on: $0).rawValue)" }),
        (
            "boot once, BIOS",
            { "works: \(try await controller.bootOnce(from: .network, uefi: false, on: $0).rawValue)" }
        ),
        (
            "boot once, UEFI",
            { "works: \(try await controller.bootOnce(from: .network, uefi: true, on: $0).rawValue)" }
        ),
        (
            "describe",
            { bmc in
                let found = try await controller.describe(bmc)
                return
                    "works: \(found.specification), serial \(found.serial ?? "none"), UUID \(found.uuid == nil ? "none" : "there")"
            }
        ),
        (
            "identify light",
            { bmc in
                try await controller.setIdentifyLight(.on, on: bmc)
                try await controller.setIdentifyLight(.briefly, on: bmc)
                try await controller.setIdentifyLight(.off, on: bmc)
                return "works"
            }
        ),
        (
            "sensors",
            { bmc in
                let sensors = try await controller.sensors(of: bmc)
                return "works: \(sensors.first.map { "\($0.name) \($0.value ?? -1) \($0.unit)" } ?? "none")"
            }
        ),
        ("event log", { "works: \(try await controller.eventLog(of: $0).last?.message ?? "empty")" }),
        (
            "clear the event log",
            { bmc in
                try await controller.clearEventLog(of: bmc)
                let left = try await controller.eventLog(of: bmc)
                return "works: \(left.contains { $0.message.contains("upper critical") } ? "still there" : "gone")"
            }
        ),
        ("firmware", { "works: \(try await controller.firmware(of: $0).first?.version ?? "none")" }),
        ("virtual media", { "works: \(try await controller.setVirtualMedia("http://x", on: $0))" }),
        (
            "serial console",
            { bmc in
                try await controller.withConsole(of: bmc) { console in
                    // Returns when the BMC has taken it.
                    try await console.send(Array("echo".utf8))
                }
                return "works"
            }
        ),
        ("LAN", { "works: \(try await controller.network(of: $0).summary)" }),
        (
            "set the LAN",
            { bmc in
                // Its own address is another than the one it is asked at, as behind a router.
                var networks: [String] = []
                for (host, gateway) in [(50, 2), (51, 1)] as [(UInt8, UInt8)] {
                    let setting = BMCNetworkSetting.fixed(
                        .init(10, 77, 0, host), netmask: .init(255, 255, 255, 0), gateway: .init(10, 77, 0, gateway))
                    networks.append(try await controller.setNetwork(setting, on: bmc).summary)
                }
                networks.append(try await controller.setNetwork(.dhcp, on: bmc).source.rawValue)
                return "works: \(networks.joined(separator: "; "))"
            }
        ),
        (
            "change the password",
            { bmc in
                try await controller.changePassword(to: "another-one-15", on: bmc)
                var changed = bmc
                changed.password = "another-one-15"
                return "works: \(try await controller.power(of: changed).rawValue)"
            }
        ),
        (
            "probe",
            { bmc in
                let finding = await controller.probe(address: bmc.address, port: bmc.port, credentials: nil)
                return "\(finding.outcome.rawValue): \(finding.facts.joined(separator: ", "))\(finding.problem ?? "")"
            }
        ),
    ]

    private static let setLAN =
        "works: 10.77.0.50 255.255.255.0 via 10.77.0.2, fixed; 10.77.0.51 255.255.255.0 via 10.77.0.1, fixed; dhcp"

    /// What is expected where it is not `works`.
    static let expected: [Peer: [String: String]] = [
        // It has no valid bit, no EFI flag: what is read back tells nothing.
        .ipmiSim: [
            "boot once, BIOS": "works: unverifiable", "boot once, UEFI": "works: unverifiable",
            "probe": "answers: IPMI 2.0, cipher suites 0, 1, 2, 3",
            "LAN": "works: 10.77.0.50 255.255.255.0 via 10.77.0.1, dhcp", "set the LAN": setLAN,
        ],
        // Its server has chassis, boot device and console, and forgets the EFI flag.
        .pyghmi: [
            "boot once, BIOS": "works: confirmed",
            "boot once, UEFI": "notDone: accepted 3 times, and read back as network, BIOS, once",
            "describe": "works: IPMI 2.0, serial none", "identify light": "unsupported", "sensors": "unsupported",
            "event log": "unsupported", "clear the event log": "unsupported", "change the password": "unsupported",
            "LAN": "unsupported",
            "set the LAN": "unsupported",
            "probe": "answers: IPMI 2.0, cipher suites 3",
        ],
        .own: [
            "boot once, BIOS": "works: confirmed", "boot once, UEFI": "works: confirmed",
            "describe": "works: IPMI 2.0, serial SN0042", "probe": "answers: IPMI 2.0, cipher suites 3, 17",
            "LAN": "works: 10.77.0.50 255.255.255.0 via 10.77.0.1, dhcp", "set the LAN": setLAN,
        ],
    ]

    @Test("every command against every peer", arguments: Peer.allCases)
    func table(peer: Peer) async throws {
        try await peer.with { bmc in
            let answers = await eventually { (try? await Self.controller.power(of: bmc)) == .off }
            #expect(answers, "\(peer) does not answer")
            var rows: [String] = []
            for (name, run) in Self.commands {
                let found = await Self.outcome { try await run(bmc) }
                rows.append("\(peer.rawValue) | \(name) | \(found)")
                let wanted = Self.expected[peer]?[name] ?? (name == "virtual media" ? "unsupported" : "works")
                #expect(found.hasPrefix(wanted), "\(peer), \(name): \(found)")
            }
            // For docs/bmc.md.
            if ProcessInfo.processInfo.environment["SLIPWAY_PRINT_TABLE"] != nil { print(rows.joined(separator: "\n")) }
        }
    }
}
