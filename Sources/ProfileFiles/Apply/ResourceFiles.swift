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
        guard var image = try reader.mapping("image") else { throw reader.fault(key: "image", "image is missing") }
        let digest = try image.parsed("sha256", "64 hex digits") { digest in
            digest.count == 64 && digest.allSatisfy(\.isHexDigit) ? digest.lowercased() : nil
        }
        guard let digest else { throw image.fault(key: "sha256", "image: sha256 is missing") }
        let compression = try image.word("compression", InstallOrder.Compression.self) ?? .none
        guard let compressed = try image.integer("compressed_bytes", in: 1...Int.max),
            let raw = try image.integer("raw_bytes", in: 1...Int.max)
        else { throw image.fault(key: "raw_bytes", "image: compressed_bytes and raw_bytes say how long it is") }
        try image.finish()
        let minimum = try reader.integer("minimum_disk_bytes", in: raw...Int.max) ?? raw
        return DeclaredRelease(
            os: os, version: version, architecture: architecture,
            image: .init(
                sha256: digest, compression: compression, compressedBytes: Int64(compressed), rawBytes: Int64(raw)),
            minimumDiskBytes: Int64(minimum))
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
