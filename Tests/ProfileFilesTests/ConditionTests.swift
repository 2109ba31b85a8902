import Inventory
import NetworkAddresses
import ProfileFiles
import Testing

/// What profiles demand, as they write it, of one machine.
@Suite struct ConditionTests {
    static let report = HardwareReport(
        system: .init(manufacturer: "Dell Inc.", product: "PowerEdge R650", serial: "7XJQ1K3"),
        firmware: .init(kind: .uefi, version: "1.9.2", secureBoot: true),
        processor: .init(
            architecture: "amd64", model: "Intel(R) Xeon(R) Gold 6338", sockets: 2, cores: 64, threads: 128,
            flags: ["vmx", "x86-64-v3"]),
        memory: .init(installedBytes: 512 << 30, mendsErrors: true, sockets: 32),
        disks: [
            Disk(path: "/dev/nvme0n1", serial: "A", sizeBytes: 960_197_124_096, transport: .nvme),
            Disk(path: "/dev/nvme1n1", serial: "B", sizeBytes: 400_088_457_216, transport: .nvme),
            Disk(path: "/dev/sda", serial: "C", sizeBytes: 4_000_787_030_016, transport: .sata, rotational: true),
        ],
        nics: [
            NIC(name: "a", mac: MACAddress(rawValue: 1), driver: "ice", linkUp: true, speedMbps: 25000),
            NIC(name: "b", mac: MACAddress(rawValue: 2), driver: "tg3"),
        ],
        devices: [PCIDevice(address: "0000:17:00.0", id: "10de:20b5", classCode: "030200")], hasBMC: true, bootID: "1")

    @Test(
        "conditions that hold, and those that do not",
        arguments: [
            ("{}", true), ("{architecture: amd64}", true), ("{architecture: arm64}", false),
            ("{manufacturer: dell inc.}", true), ("{manufacturer: Dell}", false), ("{manufacturer: /^dell/}", true),
            ("{product: \"/R6[56]0$/\"}", true), ("{product: [PowerEdge R640, PowerEdge R650]}", true),
            ("{product: [PowerEdge R640]}", false), ("{sku: x}", false), ("{not: {sku: x}}", true),
            ("{memory: \">= 512GiB\"}", true), ("{memory: \"> 512GiB\"}", false), ("{memory: 512GiB}", true),
            ("{memory: \">= 256GiB, < 1TiB\"}", true), ("{cores: 64, threads: \">= 100\"}", true),
            ("{secure_boot: true, ecc: true, bmc: true}", true), ("{secure_boot: false}", false),
            ("{flags: x86-64-v3}", true), ("{flags: [avx512f, vmx]}", true), ("{flags: avx512f}", false),
            ("{processor: /gold 6338/}", true), ("{firmware: uefi, firmware_version: /^1\\./}", true),
            ("{disks: \">= 3\"}", true), ("{disks: 2}", false),
            ("{disks: {where: {transport: nvme, size: \">= 800GB\"}, count: \">= 1\"}}", true),
            ("{disks: {where: {transport: nvme, size: \">= 800GB\"}, count: \">= 2\"}}", false),
            ("{disks: {where: {not: {rotational: true}}, count: 2}}", true),
            ("{disks: {where: {any: [{transport: sata}, {size: \"> 900GB\"}]}, count: 2}}", true),
            ("{nics: {where: {speed: \">= 25Gbit/s\", link: true}, count: 1}}", true),
            ("{gpus: {where: {id: \"10de:20b5\"}, count: \">= 1\"}}", true), ("{gpus: 0}", false),
            ("{any: [{product: x}, {all: [{sockets: 2}, {cores: \">= 64\"}]}]}", true),
            ("{any: [{product: x}, {sockets: 1}]}", false), ("{modules: 0}", true),
        ])
    func holds(text: String, isSo: Bool) throws {
        let profile = try ProfileDirectory.parse("match: \(text)\n", file: "p.yaml", name: "p")
        let explained = profile.match.explain(Self.report)
        #expect(profile.match.holds(for: Self.report) == isSo && explained.holds == isSo, "\(explained.faults)")
        #expect(explained.faults.isEmpty == isSo)
    }

    @Test(
        "a fault is named with line, column and key",
        arguments: [
            ("memry: 1GiB", "p.yaml:2:3: unknown key memry; did you mean memory?"),
            (
                "memory: 1",
                "p.yaml:2:11: memory: 1 is not a size with a unit such as 512GiB, or a bound such as >= 800GB"
            ),
            (
                "memory: \">=\"",
                "p.yaml:2:11: memory: this is not a size with a unit such as 512GiB, or a bound such as >= 800GB"
            ),
            ("cores: many", "p.yaml:2:10: cores: many is not a whole number such as 2, or a bound such as >= 2"),
            ("secure_boot: perhaps", "p.yaml:2:16: secure_boot: expected true or false"),
            ("disks: {where: {size: 1GB}}", "p.yaml:2:10: disks: count is missing, such as \">= 1\""),
            ("disks: {where: {sise: 1GB}, count: 1}", "p.yaml:2:19: unknown key sise; did you mean size?"),
            ("disks: {count: -1}", "p.yaml:2:18: count: -1 is not a whole number such as 2, or a bound such as >= 2"),
            ("any: {product: x}", "p.yaml:2:8: any: expected a list, each item after a `-`"),
            (
                "nics: {where: {speed: 25}, count: 1}",
                "p.yaml:2:25: speed: 25 is not a speed with a unit such as 25Gbit/s, or a bound such as >= 10Gbit/s"
            ),
        ])
    func faults(text: String, message: String) {
        let error = #expect(throws: ProfileFileError.self) {
            try ProfileDirectory.parse("match:\n  \(text)\n", file: "p.yaml", name: "p")
        }
        #expect(error?.description == message)
    }

    @Test("an expression that cannot be read is a fault with its place")
    func expression() {
        let error = #expect(throws: ProfileFileError.self) {
            try ProfileDirectory.parse("match:\n  product: /R6(/\n", file: "p.yaml", name: "p")
        }
        #expect(error?.description.hasPrefix("p.yaml:2:12: product: /R6(/ is not a regular expression: ") ?? false)
    }

    private static func profile(_ name: String, priority: Int = 0, _ match: String) throws -> HardwareProfile {
        try ProfileDirectory.parse("priority: \(priority)\nmatch: \(match)\n", file: name, name: name)
    }

    @Test("the highest priority, then the most demands; two that are equal are a tie that names both")
    func ranks() throws {
        let any = try Self.profile("any", "{}")
        let dell = try Self.profile("dell", "{manufacturer: /dell/}")
        let model = try Self.profile("model", "{manufacturer: /dell/, product: /R650/}")
        let large = try Self.profile("large", "{memory: \">= 1GiB\", disks: \">= 1\"}")
        let first = try Self.profile("first", priority: 1, "{}")
        func name(_ profiles: HardwareProfile...) -> String? {
            ProfileMatcher(profiles).match(Self.report).profile?.name
        }
        #expect(name(any, dell, model) == "model" && name(model, dell, any) == "model" && name(model, first) == "first")
        guard case .tie(let both) = ProfileMatcher([model, any, large]).match(Self.report) else {
            Issue.record("no tie")
            return
        }
        #expect(both.map(\.name) == ["large", "model"])
        #expect(
            ProfileMatcher([model, large]).match(Self.report).words
                == "the hardware profiles large and model fit equally well; give one of them a higher priority")
        guard case .none = ProfileMatcher([try Self.profile("arm", "{architecture: arm64}")]).match(Self.report) else {
            Issue.record("it does not match")
            return
        }
    }

    @Test("an explanation has the chosen one first, then what fits, then the nearest misses and what they lack")
    func explanation() throws {
        let matcher = ProfileMatcher([
            try Self.profile("far", "{architecture: arm64, manufacturer: HPE}"), try Self.profile("any", "{}"),
            try Self.profile(
                "near",
                "{manufacturer: /dell/, disks: {where: {transport: nvme, size: \">= 800GB\"}, count: \">= 2\"}}"),
            try Self.profile("dell", "{manufacturer: /dell/}"),
        ])
        let explained = matcher.explain(Self.report)
        #expect(explained.map(\.profile) == ["dell", "any", "near", "far"])
        #expect(explained.map(\.isChosen) == [true, false, false, false])
        #expect(
            explained[2].condition.faults == [
                "needs disks (transport nvme, size >= 800GB) >= 2; found 1"
            ])
        #expect(
            explained[3].condition.faults == [
                "needs architecture arm64; found amd64", "needs manufacturer HPE; found Dell Inc.",
            ])
    }
}
