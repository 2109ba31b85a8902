import Foundation
import Inventory
import ProfileFiles
import Testing

/// The profiles that come with the project, and the machines that they are for. Names are those of public dumps; see the profiles.
@Suite struct ShippedProfileTests {
    private static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../hardware-profiles").path

    static func profiles() throws -> [HardwareProfile] { try ProfileDirectory.load(directory) }

    static func texts() throws -> [(name: String, text: String)] {
        try profiles().map { profile in
            (profile.name, try String(contentsOfFile: "\(directory)/\(profile.name).yaml", encoding: .utf8))
        }
    }

    struct Recorded: CustomTestStringConvertible, Sendable {
        var manufacturer: String
        var product: String
        var architecture = "amd64"
        var processor: String?
        var family: String?
        var hasBMC = true
        var profile: String

        var testDescription: String { "\(manufacturer) \(product) → \(profile)" }

        var report: HardwareReport {
            HardwareReport(
                system: .init(manufacturer: manufacturer, product: product, family: family),
                firmware: .init(kind: .uefi),
                processor: .init(architecture: architecture, model: processor, sockets: 1, cores: 8, threads: 16),
                memory: .init(installedBytes: 64 << 30), disks: [], nics: [], hasBMC: hasBMC, bootID: "1")
        }
    }

    static let altra = "Ampere(R) Altra(R) Processor"
    static let machines: [Recorded] = [
        // github.com/linuxhw/DMI
        Recorded(manufacturer: "Dell Inc.", product: "PowerEdge R750", profile: "dell-poweredge"),
        Recorded(manufacturer: "Dell Inc.", product: "PowerEdge C6525", profile: "dell-poweredge"),
        Recorded(manufacturer: "Dell Inc.", product: "OEM-R 720xd", profile: "generic-amd64"),
        Recorded(manufacturer: "HPE", product: "ProLiant DL380 Gen11", profile: "hpe-proliant"),
        Recorded(manufacturer: "HPE", product: "ProLiant DL360 Gen10 Plus", profile: "hpe-proliant"),
        Recorded(manufacturer: "HPE", product: "ProLiant MicroServer Gen10", hasBMC: false, profile: "generic-amd64"),
        Recorded(manufacturer: "Lenovo", product: "ThinkSystem SR650 V2", profile: "lenovo-thinksystem"),
        Recorded(manufacturer: "Lenovo", product: "ThinkSystem SR650 -[7X06CTO1WW]-", profile: "lenovo-thinksystem"),
        Recorded(manufacturer: "LENOVO", product: "ThinkStation P720 30BACTO1WW", profile: "generic-amd64"),
        Recorded(manufacturer: "Supermicro", product: "SYS-511E-WR", profile: "supermicro"),
        Recorded(manufacturer: "Supermicro", product: "AS -1014S-WTRT", profile: "supermicro"),
        Recorded(manufacturer: "Supermicro", product: "C9Z390-PGW", hasBMC: false, profile: "generic-amd64"),
        // Fixtures of SMBIOSTests
        Recorded(manufacturer: "Dell Computer Corporation", product: "PowerEdge 1800", profile: "dell-poweredge"),
        Recorded(manufacturer: "HP", product: "ProLiant DL580 G5", profile: "generic-amd64"),
        Recorded(manufacturer: "Hewlett-Packard", product: "HP Z600 Workstation", profile: "generic-amd64"),
        Recorded(manufacturer: "IBM", product: "IBM 3850 M2 / x3950 M2 -[71413RM]-", profile: "generic-amd64"),
        Recorded(manufacturer: "VMware, Inc.", product: "VMware Virtual Platform", profile: "generic-amd64"),
        // The virtual rack
        Recorded(manufacturer: "Slipway", product: "Virtual Rack", hasBMC: false, profile: "qemu-q35"),
        Recorded(manufacturer: "QEMU", product: "Standard PC (Q35 + ICH9, 2009)", profile: "generic-amd64"),
        // arm64
        Recorded(
            manufacturer: "WIWYNN", product: "Mt.Jade", architecture: "arm64", processor: altra,
            profile: "ampere-arm64"),
        Recorded(
            manufacturer: "HPE", product: "ProLiant RL300 Gen11", architecture: "arm64",
            processor: "Ampere(R) Altra(R) Max Processor", profile: "ampere-arm64"),
        Recorded(
            manufacturer: "Supermicro", product: "ARS-110M-NR", architecture: "arm64", processor: altra,
            profile: "ampere-arm64"),
        Recorded(
            manufacturer: "Raspberry Pi Foundation", product: "Raspberry Pi 4 Model B", architecture: "arm64",
            processor: "BCM2711 (ARM Cortex-A72)", family: "Raspberry Pi", hasBMC: false, profile: "raspberry-pi-uefi"),
        Recorded(
            manufacturer: "Sony", product: "64-bit Raspberry Pi 3B+ (rev. A020D3)", architecture: "arm64",
            hasBMC: false, profile: "raspberry-pi-uefi"),
        Recorded(
            manufacturer: "QEMU", product: "QEMU Virtual Machine", architecture: "arm64", hasBMC: false,
            profile: "generic-arm64"),
    ]

    @Test("each machine has one profile", arguments: machines)
    func winner(machine: Recorded) throws {
        #expect(ProfileMatcher(try Self.profiles()).match(machine.report).names == [machine.profile])
    }

    @Test("the names are told apart, also were they of another maker's machine")
    func crossed() throws {
        let matcher = ProfileMatcher(try Self.profiles())
        for one in Self.machines {
            for other in Self.machines where one.manufacturer != other.manufacturer {
                var report = one.report
                report.system.product = other.product
                report.processor.model = other.processor
                #expect(matcher.match(report).names.count == 1, "\(one.manufacturer) \(other.product)")
            }
        }
    }

    @Test("all are here, each is some machine's, and whatever people write comes before them")
    func complete() throws {
        let profiles = try Self.profiles()
        #expect(
            profiles.map(\.name) == [
                "ampere-arm64", "dell-poweredge", "generic-amd64", "generic-arm64", "hpe-proliant",
                "lenovo-thinksystem", "qemu-q35", "raspberry-pi-uefi", "supermicro",
            ])
        #expect(Set(Self.machines.map(\.profile)) == Set(profiles.map(\.name)))
        let own = try ProfileDirectory.parse("match: {product: /R750/}\n", file: "own.yaml", name: "own")
        #expect(ProfileMatcher(profiles + [own]).match(Self.machines[0].report).names == ["own"])
        let dell = try #require(profiles.first { $0.name == "dell-poweredge" })
        #expect(dell.agentArguments.last?.description == "console=ttyS1,115200n8")
    }
}
