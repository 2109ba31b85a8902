import ConfigDocuments
import Foundation
import Inventory
import Machines
import TestSupport
import Testing

@testable import OperatingSystems

/// Every driver is told a harmless word, and then text that means something to somebody: what its readers find, however deep it is packed, is the
/// same but for that text in that word's place. Readers are Foundation's for JSON, libyaml for YAML, Python's for TOML.
@Suite struct HostileSystemsTests {
    /// What stands for a token, a setup, a key and a registration; no driver says it by itself.
    private static let words = ["tokenword", "setupword", "keyword", "placeword"]

    private static func input(_ system: any OperatingSystem, _ texts: [String]) throws -> InstallationInput {
        var input = try TrialInput.fit(for: system)
        switch input.join {
        case .standalone(var join): join.token = texts[0]; input.join = .standalone(join)
        case .kubernetes(var join): join.token = texts[0]; input.join = .kubernetes(join)
        case .k3s(var join): join.token = texts[0]; input.join = .k3s(join)
        case .rancher:
            let document: ConfigValue = ["elemental": ["registration": ["url": .text(texts[0])]]]
            input.join = .rancher(registration: document.yaml)
        case .talos: break
        }
        if input.setup != nil { input.setup = texts[1] }
        if !input.access.sshKeys.isEmpty { input.access.sshKeys = [texts[2]] }
        return input
    }

    /// Talos' configurations are its owner's, and kickstart is looked at by itself.
    private static let ways: [(any OperatingSystem, InstallRoute)] = OperatingSystemCatalog.all
        .filter { !($0 is Talos) && !($0 is RedHatFamily) }.flatMap { system in system.routes.map { (system, $0) } }

    @Test("no text leaves its place, in whatever system's words", arguments: HostileValueTests.texts)
    func places(text: String) async throws {
        var places = 0
        for (system, route) in Self.ways {
            let plain = try system.render(try Self.input(system, Self.words), route: route)
            let given = Self.words.map { _ in text }
            let hostile: Rendering
            do throws(ConfigurationError) {
                hostile = try system.render(try! Self.input(system, given), route: route)
            } catch {
                // Refused with a word of the reason: nothing of it reaches a machine.
                #expect(!error.reason.isEmpty)
                continue
            }
            let (files, others) = (Self.files(plain), Self.files(hostile))
            #expect(files.map(\.path) == others.map(\.path) && files.map(\.mode) == others.map(\.mode))
            #expect(Self.commandLine(plain) == Self.commandLine(hostile))
            for (file, other) in zip(files, others) {
                let place = "\(system.name) \(route) \(file.path)"
                places += try await Self.compare(.text(file.content), .text(other.content), text, place)
            }
        }
        // The test can fail: the word stood in many places.
        #expect(places > (text.utf8.contains(0) ? 0 : 30), "\(places)")
    }

    private static func files(_ rendering: Rendering) -> [OverlayFile] {
        switch rendering {
        case .image(let files, _):
            files.map { OverlayFile(path: $0.path, mode: $0.mode, content: $0.content) }
        case .imageStartedBy(let boot), .installer(let boot):
            boot.overlay + boot.served.map { OverlayFile(path: "served/\($0.name)", content: $0.content) }
        }
    }

    private static func commandLine(_ rendering: Rendering) -> String {
        switch rendering {
        case .image(_, let entry): "\(entry)"
        case .imageStartedBy(let boot), .installer(let boot): boot.commandLine
        }
    }

    /// What a reader finds in a text that is packed; nil: it is packed in no way that is known here.
    private static func unpacked(_ text: String, as packing: Packing) async throws -> ConfigValue? {
        switch packing {
        case .base64(let prefix):
            guard text.hasPrefix(prefix), let bytes = Data(base64Encoded: String(text.dropFirst(prefix.count))) else {
                return nil
            }
            return String(data: bytes, encoding: .utf8).map { .text($0) }
        case .json:
            guard text.hasPrefix("{") else { return nil }
            return (try? JSONSerialization.jsonObject(with: Data(text.utf8))).map(value(json:))
        case .yaml:
            guard !text.hasPrefix("#!") else { return nil }
            return (try? ConfigValue.documents(yaml: text))?.first.flatMap { $0.entries == nil ? nil : $0 }
        case .toml:
            // An argument has 128 KiB at most.
            let file = FileManager.default.temporaryDirectory.appending(path: "slipway-\(UUID()).toml")
            try Data(text.utf8).write(to: file)
            defer { try? FileManager.default.removeItem(at: file) }
            let script = "import json,sys,tomllib; json.dump(tomllib.load(open(sys.argv[1], 'rb')), sys.stdout)"
            let (status, output) = try await ChildProcess.run("python3", ["-c", script, file.path])
            guard status == 0 else { return nil }
            return value(json: try JSONSerialization.jsonObject(with: Data(output.utf8)))
        }
    }

    private enum Packing: Equatable {
        case base64(String)
        case json, yaml, toml
    }

    private static func value(json: Any) -> ConfigValue {
        switch json {
        case let text as String: .text(text)
        case let items as [Any]: .list(items.map(value(json:)))
        case let entries as [String: Any]:
            .mapping(ConfigMapping(entries.sorted { $0.key < $1.key }.map { ($0.key, value(json: $0.value)) }))
        default: .plain("\(json)")
        }
    }

    /// Both are unpacked in the way in which the harmless one is packed.
    /// - Returns: in how many places one of the words stood.
    private static func compare(
        _ plain: ConfigValue, _ hostile: ConfigValue, _ text: String, _ place: String
    ) async throws -> Int {
        var found = 0
        switch (plain, hostile) {
        case (.list(let one), .list(let two)):
            #expect(one.count == two.count, "\(place)")
            for (index, pair) in zip(one, two).enumerated() {
                found += try await compare(pair.0, pair.1, text, "\(place)[\(index)]")
            }
        case (.mapping(let one), .mapping(let two)):
            #expect(one.keys == two.keys, "\(place)")
            for (one, two) in zip(one.pairs, two.pairs) {
                found += try await compare(one.value, two.value, text, "\(place).\(one.key)")
            }
        case (.plain(let one), .plain(let two)), (.plain(let one), .text(let two)), (.text(let one), .plain(let two)),
            (.text(let one), .text(let two)):
            let isTOML = place.hasSuffix(".toml")
            let packings: [Packing] = isTOML ? [.toml] : [.base64("data:;base64,"), .base64(""), .json, .yaml]
            for packing in packings where packing != .base64("") || one.utf8.count >= 8 {
                guard let inner = try await unpacked(one, as: packing) else { continue }
                guard let other = try await unpacked(two, as: packing) else {
                    Issue.record("\(place) cannot be read any more: \(two.prefix(300))")
                    return 0
                }
                return try await compare(inner, other, text, "\(place) ")
            }
            found = words.count { one.contains($0) }
            let wanted = words.reduce(one) {
                $0.replacing("'\($1)'", with: ShellText.quoted(text))
                    .replacing("\"\($1)\"", with: ConfigValue.text(text).json.trimmingCharacters(in: .newlines))
                    .replacing($1, with: text)
            }
            // A script ends in the end of a line, whether or not its author put one there.
            #expect(two == wanted || two == wanted + "\n" || two + "\n" == wanted, "\(place): \(two.prefix(300))")
        default: Issue.record("\(place): another kind of value")
        }
        return found
    }
}
