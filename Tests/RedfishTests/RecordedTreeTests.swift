import Foundation
import Redfish
import TestSupport
import Testing

/// Trees of real servers and of DMTF's example.
@Suite(.enabled(if: RecordedTrees.folder != nil, Comment(rawValue: RecordedTrees.notice)))
struct RecordedTreeTests {
    /// Every resource of a tree by its path.
    static func with(_ name: String, below most: Int = .max, _ body: ([ResourcePath: JSON], [[UInt8]]) throws -> Void)
        async throws
    {
        try await RecordedTrees.with(name) { directory in
            var (resources, texts): ([ResourcePath: JSON], [[UInt8]]) = ([:], [])
            let files = FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String } ?? []
            for file in files where file.hasSuffix("index.json") {
                let bytes = Array(FileManager.default.contents(atPath: directory + "/" + file) ?? Data())
                guard bytes.count < most else { continue }
                texts.append(bytes)
                let json = try JSON(parsing: bytes)
                if let path = json.path { resources[path] = json }
            }
            try body(resources, texts)
        }
    }

    /// Reads a resource as everything that we know: nothing traps, whatever it is.
    static func readAsEverything(_ json: JSON) -> Int {
        let path = json.path ?? .root
        let system = ComputerSystem(json, at: path)
        _ = SystemChoice.choose([system, system], known: .init(uuid: system.uuid, serial: system.serial))
        _ = (Chassis(json, at: path), Manager(json, at: path), LogService(json, at: path), VirtualMedia(json, at: path))
        _ = (ServiceRoot(json), TaskState(json), SoftwareComponent(json), ManagerAccount(json), SecureBoot(json))
        _ = (biosAttributes(json), LogRecord(json), LogRecord.events(in: json), ServiceMessage.all(in: json))
        for verb in PowerVerb.allCases { _ = PowerPlan.decide(verb, from: system.power, allowed: nil) }
        if let boot = system.boot {
            let plan = BootPlan.decide(.network, uefi: true, offered: boot)
            _ = (plan?.compare(boot), plan?.body().description)
        }
        let values = SensorValue.thermal(json) + SensorValue.power(json) + SensorValue.thermalMetrics(json)
        return values.count + CollectionPage(json).members.count + (SensorValue(sensor: json) == nil ? 0 : 1)
    }

    @Test("every file of every tree is read", arguments: RecordedTrees.names)
    func all(name: String) async throws {
        try await Self.with(name) { resources, texts in
            #expect(texts.count > 200 && resources.count > 200)
            let found = resources.values.reduce(0) { $0 + Self.readAsEverything($1) }
            #expect(found > 100)
        }
    }

    @Test("damaged trees never trap", arguments: RecordedTrees.names)
    func damaged(name: String) async throws {
        try await Self.with(name, below: 20_000) { _, texts in
            var generator = SeededGenerator(seed: 4)
            var (whole, broken) = (0, 0)
            for text in texts.prefix(300) where !text.isEmpty {
                for _ in 0..<3 {
                    var bytes = text
                    for _ in 0..<Int.random(in: 1...4, using: &generator) {
                        let index = Int.random(in: 0..<bytes.count, using: &generator)
                        switch Int.random(in: 0..<4, using: &generator) {
                        case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                        case 1: bytes.replaceSubrange(index..<min(index + 3, bytes.count), with: Array("{[\"".utf8))
                        case 2: bytes.removeSubrange(index..<min(index + 20, bytes.count))
                        default: bytes.insert(contentsOf: Array("-9e99".utf8), at: index)
                        }
                        if bytes.isEmpty { bytes = [0x7b] }
                    }
                    guard let json = try? JSON(parsing: bytes) else {
                        broken += 1
                        continue
                    }
                    _ = Self.readAsEverything(json)
                    whole += 1
                }
            }
            #expect(whole > 20 && broken > 20)
        }
    }

    @Test("every value of a tree in turn is of another type, and nothing traps")
    func mistyped() async throws {
        try await Self.with("dmtf-public-rackmount1") { resources, _ in
            let others: [JSON] = [
                .null, .bool(true), -1e300, "", "/redfish/v1/../x", .array(["x"]), .object(["": .null]),
            ]
            for json in resources.values {
                for other in others { _ = Self.readAsEverything(Self.replaceLeaves(of: json, with: other)) }
            }
        }
    }

    static func replaceLeaves(of json: JSON, with other: JSON) -> JSON {
        switch json {
        case .array(let values): .array(values.map { replaceLeaves(of: $0, with: other) })
        case .object(let values): .object(values.mapValues { replaceLeaves(of: $0, with: other) })
        default: other
        }
    }

    @Test("a PowerEdge R750")
    func r750() async throws {
        try await Self.with("dell-poweredge-r750", below: 40_000) { resources, _ in
            let root = try #require(resources[.root].flatMap { ServiceRoot($0) })
            #expect(
                root.vendor == "Dell" && root.version == "1.13.1" && root.serviceTag == "F54P1G3" && root.expandsMembers
            )
            let path = try #require(ResourcePath("/redfish/v1/Systems/System.Embedded.1"))
            let system = ComputerSystem(resources[path] ?? .null, at: path)
            #expect(system.model == "PowerEdge R750" && system.power == .on && system.serial == "CNIVC0014M0388")
            let allowed = try #require(system.reset?.allowable["ResetType"]?.map(ResetType.init))
            #expect(PowerPlan.decide(.cycle, from: .on, allowed: allowed)?.ways.first == [.powerCycle])
            let boot = try #require(system.boot)
            #expect(BootPlan.decide(.network, uefi: true, offered: boot)?.target == "Pxe")
            let software = resources.values.filter {
                $0["@odata.type"]?.string?.contains("SoftwareInventory.v") ?? false
            }
            .compactMap { SoftwareComponent($0) }
            let running = runningSoftware(software)
            #expect(software.count > running.count)
            #expect(running.filter { $0.name == "BIOS" }.map(\.version) == ["1.8.2"])
            #expect(!running.contains { $0.id.hasPrefix("Previous-") })
        }
    }

    @Test("a page that leads to itself: DMTF's example")
    func pages() async throws {
        try await Self.with("dmtf-public-rackmount1") { resources, _ in
            let path = try #require(ResourcePath("/redfish/v1/Systems/437XR1138R2/LogServices/Log1/Entries"))
            let page = CollectionPage(resources[path] ?? .null)
            #expect(page.members.count == 2 && page.next?.rawValue.contains("$skiptoken=2") == true)
        }
    }
}
