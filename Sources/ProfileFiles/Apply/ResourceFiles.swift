import Inventory
import Machines

/// Reads files of declared resources: YAML, a document for each, read strictly.
public enum ResourceFiles {
    /// Bytes of a file.
    public static let limit = 8 << 20
    /// Documents of a file.
    static let documentLimit = 10_000

    /// - Throws: ``ProfileFileErrors`` with all faults of the file.
    public static func read(_ text: String, file: String) throws(ProfileFileErrors) -> [DeclaredResource] {
        guard text.utf8.count <= limit else {
            throw ProfileFileErrors(errors: [
                ProfileFileError(file: file, message: "the file has more than \(limit >> 20) MiB")
            ])
        }
        var resources: [DeclaredResource] = []
        var faults: [ProfileFileError] = []
        do {
            let documents = try YAMLReader.documents(file: file, text: text)
            guard documents.count <= documentLimit else {
                throw ProfileFileError(file: file, message: "the file has more than \(documentLimit) documents")
            }
            for var document in documents {
                do {
                    resources.append(try resource(&document, file: file))
                } catch let fault as ProfileFileError {
                    faults.append(fault)
                }
            }
        } catch let fault as ProfileFileError {
            faults.append(fault)
        } catch {
            faults.append(ProfileFileError(file: file, message: "cannot be read: \(error)"))
        }
        guard faults.isEmpty else { throw ProfileFileErrors(errors: faults) }
        return resources
    }

    /// Resources that are declared twice, each with the place of the other.
    public static func clashes(_ resources: [DeclaredResource]) -> [ProfileFileError] {
        var first: [String: DeclaredResource] = [:]
        return resources.compactMap { resource in
            let key = resource.kind.rawValue + "/" + resource.name
            guard let other = first[key] else {
                first[key] = resource
                return nil
            }
            let place = [other.file, other.line.map(String.init)].compactMap { $0 }.joined(separator: ":")
            return resource.fault("\(resource.kind.rawValue) \(resource.name) is in \(place) already")
        }
    }

    private static func resource(_ reader: inout YAMLReader, file: String) throws -> DeclaredResource {
        guard let kind = try reader.word("kind", DeclaredResource.Kind.self) else {
            let kinds = DeclaredResource.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw reader.fault(key: "kind", "kind is missing: one of \(kinds)")
        }
        guard let name = try reader.string("name") else { throw reader.fault(key: "name", "name is missing") }
        let isName = (1...63).contains(name.utf8.count) && NamePattern(name) != nil && !name.contains("*")
        guard isName else {
            throw reader.fault(
                key: "name", "name: \(name.debugDescription) is not a name: 1 to 63 letters, digits, '-', '_' and '.'")
        }
        let line = reader.place.line
        let content: DeclaredResource.Content =
            switch kind {
            case .cluster: .cluster(try reader.word("type", Cluster.Flavor.self) ?? .standalone)
            case .release: .release(try release(&reader))
            case .machine: .machine(try machine(&reader))
            case .profile:
                .profile(
                    try ProfileDirectory.parse(&reader, name: name), text: try reader.text(without: ["kind", "name"]))
            }
        try reader.finish()
        return DeclaredResource(name: name, content: content, file: file, line: line)
    }

    private static func release(_ reader: inout YAMLReader) throws -> DeclaredRelease {
        func text(_ key: String) throws -> String {
            guard let text = try reader.string(key) else { throw reader.fault(key: key, "\(key) is missing") }
            return text
        }
        let (os, version, architecture) = (try text("os"), try text("version"), try text("architecture"))
        var artifacts: [ArtifactRole: Artifact] = [:]
        for (name, file) in try reader.namedMappings("artifacts") ?? [] {
            artifacts[ArtifactRole(rawValue: name)] = try artifact(file, "artifacts.\(name)")
        }
        guard !artifacts.isEmpty else { throw reader.fault(key: "artifacts", "artifacts are missing") }
        let largest = artifacts[.image]?.rawBytes ?? 0
        let minimum = try reader.integer("minimum_disk_bytes", in: Int(largest)...Int.max) ?? Int(largest)
        let parameters = try reader.pairs("parameters") { ($0, $1) } ?? []
        return DeclaredRelease(
            os: os, version: version, architecture: architecture, route: try reader.word("route", InstallRoute.self),
            artifacts: artifacts, parameters: Dictionary(parameters) { $1 }, minimumDiskBytes: Int64(minimum))
    }

    private static func artifact(_ file: YAMLReader, _ path: String) throws -> Artifact {
        var file = file
        let digest = try file.parsed("sha256", "64 hex digits") { digest in
            digest.count == 64 && digest.allSatisfy(\.isHexDigit) ? digest.lowercased() : nil
        }
        guard let digest else { throw file.fault(key: "sha256", "\(path): sha256 is missing") }
        let compression = try file.word("compression", InstallOrder.Compression.self) ?? .none
        guard let bytes = try file.integer("bytes", in: 1...Int.max) else {
            throw file.fault(key: "bytes", "\(path): bytes says how long it is")
        }
        let raw = try file.integer("raw_bytes", in: 1...Int.max)
        guard raw != nil || compression == .none else {
            throw file.fault(key: "raw_bytes", "\(path): raw_bytes says what it unpacks to")
        }
        try file.finish()
        return Artifact(sha256: digest, bytes: Int64(bytes), compression: compression, rawBytes: raw.map(Int64.init))
    }

    private static func machine(_ reader: inout YAMLReader) throws -> DeclaredMachine {
        var machine = DeclaredMachine(labels: [:])
        if var location = try reader.mapping("location") {
            let place = Location(
                site: try location.string("site"), row: try location.string("row"), rack: try location.string("rack"),
                units: try location.parsed(
                    "unit", "a rack unit such as U4 or U12-U13, at most U\(RackUnits.limit)", RackUnits.init(_:)))
            if let fault = place.fault { throw location.fault(key: fault.field, "\(fault.field): \(fault.reason)") }
            try location.finish()
            machine.location = place
        }
        for (name, value) in try reader.optionalPairs("labels") ?? [] {
            guard machine.labels.updateValue(value, forKey: name) == nil else {
                throw reader.fault(key: "labels", "labels: \(name) is here twice")
            }
        }
        let told = machine.labels.compactMapValues { $0 }
        if let reason = Labels.fault(told) { throw reader.fault(key: "labels", "labels: \(reason)") }
        guard machine.location != nil || !machine.labels.isEmpty else {
            throw reader.fault(key: "name", "neither location nor labels: it says nothing of the machine")
        }
        return machine
    }
}
