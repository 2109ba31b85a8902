import APIClient
import APIModel
import ArgumentParser
import Crypto
import Foundation
import Machines
import NIOCore

struct OSCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "os", abstract: "Operating systems that can be installed.",
        subcommands: [
            OSListCommand.self, OSSystemsCommand.self, OSShowCommand.self, OSAddCommand.self, OSSetCommand.self,
            OSRemoveCommand.self,
            OSVerifyCommand.self, OSPruneCommand.self,
        ])
}

struct OSListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "All OS releases.")
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let list = try await connection.withClient { client in
            try await client.call(.get, "/api/v1/os-releases", as: ListView<OSReleaseView>.self)
        }
        guard format.isTable else { return try format.write(list.items) }
        let rows = list.items.map {
            [
                $0.name, $0.os, $0.version, $0.architecture, $0.route.rawValue,
                "\($0.artifacts.values.reduce(0) { $0 + $1.bytes } / 1_048_576) MiB", $0.cached ? "yes" : "no",
            ]
        }
        format.show(TextTable(["NAME", "OS", "VERSION", "ARCH", "ROUTE", "SIZE", "CACHED"], rows))
    }
}

struct OSSystemsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "systems", abstract: "What Slipway can install, and how.",
        discussion: """
            SEEN, by the tests: installed (started and joined), boot path (with tiny files of the right names, up to what its installer or its image is told), \
            rendered (what it is told). PROOF, of what `os add` fetches: signatures, or digests only that came over TLS; `os show` says why.
            """)
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let list = try await connection.call(
            .get, "/api/v1/operating-systems", as: ListView<OperatingSystemView>.self)
        guard format.isTable else { return try format.write(list.items) }
        let rows = list.items.flatMap { system in
            let ways: [OperatingSystemView.Route?] = system.routes.isEmpty ? [nil] : system.routes
            let proof = system.proof.map { String($0.prefix { $0 != "," && $0 != ":" }) } ?? "-"
            return ways.enumerated().map { index, way in
                [index == 0 ? system.name : "", way?.route.rawValue ?? "-", way?.evidence ?? "-"]
                    + (index == 0
                        ? [system.architectures.joined(separator: ","), proof, system.support] : ["", "", ""])
            }
        }
        format.show(TextTable(["SYSTEM", "ROUTE", "SEEN", "ARCH", "PROOF", "SUPPORT"], rows))
    }
}

struct OSShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "One release, or one operating system: its files, and what to know of it.")
    @Argument(help: "Name of a release or of a system.", completion: .release) var name: String
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let (name, format) = (name, format)
        try await connection.withClient { client in
            let releases = try await client.call(.get, "/api/v1/os-releases", as: ListView<OSReleaseView>.self).items
            let systems = try await client.call(
                .get, "/api/v1/operating-systems", as: ListView<OperatingSystemView>.self
            ).items
            let release = releases.first { $0.name == name }
            guard let system = systems.first(where: { $0.name == release?.os ?? name }) else {
                throw ClientError(
                    "\(name) is neither a release nor a system; see `slipway os list` and `slipway os systems`")
            }
            guard format.isTable else {
                if let release { return try format.write(release) }
                return try format.write(system)
            }
            for line in Self.lines(release) + Self.lines(system, release?.route) { Output.print(Output.fitCell(line)) }
        }
    }

    private static func lines(_ release: OSReleaseView?) -> [String] {
        guard let release else { return [] }
        let files = release.artifacts.sorted { $0.key.rawValue < $1.key.rawValue }.map { role, file in
            "  \(role.rawValue)  \(file.name ?? "-")  \(file.bytes) bytes  sha256 \(file.sha256)"
        }
        let parameters = release.parameters.sorted { $0.key < $1.key }.map { "  \($0) = \($1)" }
        return [
            "release \(release.name): \(release.os) \(release.version) for \(release.architecture), by \(release.route.rawValue)"
                + (release.cached ? "" : ", whose files are not all in the library"),
            "proof: \(release.proof?.words ?? "the digests that its sender gave")",
        ]
            + [
                release.allowsPlainHTTP ?? false
                    ? "on machines without kexec its installer is started by firmware and iPXE, by plain HTTP: whoever is on that network can read its configuration with the secrets in it, and alter all that is started"
                    : nil
            ].compactMap { $0 } + files + (parameters.isEmpty ? [] : ["parameters"] + parameters)
    }

    /// - Parameter route: the only one that counts; nil: all of them.
    private static func lines(_ system: OperatingSystemView, _ route: InstallRoute?) -> [String] {
        let proof = system.proof.map { ["what is fetched of it: \($0)"] } ?? []
        return ["system \(system.name): \(system.support)"] + proof
            + system.routes.filter { route == nil || $0.route == route }.flatMap { way in
                [
                    "route \(way.route.rawValue): \(way.artifacts.map(\.rawValue).joined(separator: ", "))"
                        + (way.takesPatches ? "; takes patches" : ""),
                    "  entered: \(way.entry)", "  seen: \(way.evidence)",
                ] + way.remarks.map { "  - \($0)" }
            }
    }
}

struct OSSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change what machines may do with a release.",
        discussion: """
            --plain-http: a machine whose hardware profile forbids kexec, or on which it failed, restarts and has iPXE start the release's installer. Kernel, \
            initramfs and configuration go by plain HTTP, once, to the machine that asked: whoever is on that network can read the secrets in it and alter it. \
            Machines with Secure Boot, and those of arm64, cannot.
            """)
    @Argument(help: "Name of the release.", completion: .release) var name: String
    @Flag(inversion: .prefixedNo, help: "Its installer may be started by plain HTTP.") var plainHTTP: Bool
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let change = OSReleaseChange(allowsPlainHTTP: plainHTTP)
        let (name, format) = (name, format)
        let release = try await connection.withClient { client in
            try await client.call(
                .patch, "/api/v1/os-releases/\(name.escaped)", body: change, as: OSReleaseView.self)
        }
        guard format.isTable else { return try format.write(release) }
        Output.print(
            "\(release.name): its installer may \(release.allowsPlainHTTP ?? false ? "" : "not ")be started by plain HTTP"
        )
    }
}

struct OSAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add an OS release, from files or as its makers publish it.",
        discussion: """
            SYSTEM@VERSION, such as talos@1.13.2: the daemon fetches its files, compares them with the digests that are published beside them, and goes on \
            where it was cut off. With --schematic Talos as an Image Factory makes it. A file: the release.json that an image build leaves beside its files, which are sent to the daemon; files that it names as \
            oci://REGISTRY/REPOSITORY@sha256:HEX are fetched by the daemon. A folder: every \
            release.json in it and below, as it was carried to a site without a network.
            """)
    @Argument(
        help: ArgumentHelp("What to add.", valueName: "system@version|release.json"),
        completion: .file(extensions: ["json"]))
    var source: String
    @Option(help: "Name of the release. Default: its OS and version.") var name: String?
    @Option(
        help: ArgumentHelp(
            "Of what is fetched: amd64, arm64 or both, with a comma between.", valueName: "architectures"))
    var arch = "amd64"
    @Option(help: ArgumentHelp("Of what is fetched. Default: the best.", valueName: "image|installer"))
    var route: InstallRoute?
    @Option(
        help: ArgumentHelp(
            "Of Talos: the schematic that an Image Factory makes it for, by its id, or a file with it as the factory shows it.",
            valueName: "id|file.yaml"))
    var schematic: String?
    @Option(help: ArgumentHelp("The Image Factory.", valueName: "url"))
    var factory = "https://factory.talos.dev"
    @Option(
        name: .customLong("sha256"),
        help: ArgumentHelp(
            "What a file that is fetched has to have, where nothing is published beside it. Can be said more than once.",
            valueName: "file=hex"))
    var digests: [String] = []
    @Flag(inversion: .prefixedNo, help: "Wait until what is fetched is there.") var wait = true
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    /// `SYSTEM@VERSION`; nil: a file.
    private var published: (os: String, version: String)? {
        let parts = source.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !source.contains("/"), !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        return (parts[0], parts[1])
    }

    private var architectures: [String] { arch.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } }

    func validate() throws {
        guard !architectures.isEmpty, architectures.allSatisfy({ ["amd64", "arm64"].contains($0) }) else {
            throw ValidationError("--arch is amd64, arm64 or amd64,arm64")
        }
        guard name == nil || architectures.count == 1 || published == nil else {
            throw ValidationError("--name is for one architecture")
        }
        guard published != nil || (schematic == nil && digests.isEmpty) else {
            throw ValidationError("--schematic and --sha256 are for what is fetched: SYSTEM@VERSION")
        }
    }

    func run() async throws {
        guard let published else { return try await send() }
        let (source, said) = (try factorySource(), try saidDigests())
        let (architectures, name, route, wait, format) = (architectures, name, route, wait, format)
        try await connection.withClient { client in
            var fetches: [ReleaseFetchView] = []
            for architecture in architectures {
                let request = ReleaseFetchRequest(
                    os: published.os, version: published.version, architecture: architecture, name: name, route: route,
                    factory: source,
                    // Each is for the files of one architecture.
                    digests: said.filter { architectures.count == 1 || $0.key.contains(architecture) })
                fetches.append(
                    try await client.call(.post, "/api/v1/release-fetches", body: request, as: ReleaseFetchView.self))
            }
            if wait {
                for index in fetches.indices { fetches[index] = try await Self.follow(fetches[index], client) }
            }
            guard format.isTable else { return try format.write(fetches) }
            for fetch in fetches {
                Output.print(wait ? "\(fetch.name) added" : "\(fetch.name) is being fetched: \(fetch.id)")
            }
        }
    }

    private func factorySource() throws -> ReleaseFetch.Factory? {
        guard let schematic else { return nil }
        if FileDigest(hex: schematic)?.algorithm == .sha256 { return .init(url: factory, schematic: schematic) }
        guard let data = FileManager.default.contents(atPath: schematic) else {
            throw ClientError(
                "\(schematic) is neither the id of a schematic, 64 hex digits, nor a file that can be read")
        }
        return .init(url: factory, schematic: SHA256.hash(data: data).map { String(format: "%02x", $0) }.joined())
    }

    private func saidDigests() throws -> [String: String] {
        var said: [String: String] = [:]
        for text in digests {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, FileDigest(hex: parts[1]) != nil else {
                throw ValidationError("--sha256 \(text): it is FILE=HEX, such as kernel-amd64=9f86d0…")
            }
            said[parts[0]] = parts[1]
        }
        return said
    }

    private static func follow(_ fetch: ReleaseFetchView, _ client: APIClient) async throws -> ReleaseFetchView {
        let line = ProgressLine()
        var fetch = fetch
        while fetch.state == .running {
            try await Task.sleep(for: .milliseconds(500))
            fetch = try await client.call(
                .get, "/api/v1/release-fetches/\(fetch.id.escaped)", as: ReleaseFetchView.self)
            if let file = fetch.files.first(where: { !$0.done }) {
                let total = file.total.map { " of \($0 >> 20)" } ?? ""
                line.show("\(fetch.name) \(file.role.rawValue): \(file.bytes >> 20)\(total) MiB")
            }
        }
        line.finish()
        guard fetch.state == .succeeded else { throw ClientError("\(fetch.name): \(fetch.error ?? "it failed")") }
        return fetch
    }

    private func send() async throws {
        let files = try ReleaseFile.files(source)
        guard name == nil || files.count == 1 else {
            throw ClientError(
                "--name is for one release, and \(source) has \(files.count): \(files.joined(separator: ", "))")
        }
        for file in files { try await send(file) }
    }

    private func send(_ source: String) async throws {
        let release = try ReleaseFile.read(source)
        let name = name ?? "\(release.os)-\(release.version)"
        let request = OSReleaseRequest(
            name: name, os: release.os, version: release.version,
            architecture: release.architecture, route: release.route,
            artifacts: release.artifacts.mapValues(\.artifact), parameters: release.parameters,
            minimumDiskBytes: release.minimumDiskBytes)
        let files = release.artifacts
        let fetch =
            release.references.isEmpty
            ? nil
            : ReleaseFetchRequest(
                os: release.os, version: release.version, architecture: release.architecture, name: name,
                route: release.route,
                files: .init(
                    references: release.references, artifacts: request.artifacts, parameters: release.parameters,
                    minimumDiskBytes: release.minimumDiskBytes))
        let (wait, format) = (wait, format)
        try await connection.withClient { client in
            for (role, file) in files.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                guard try await !client.hasImage(file.artifact.sha256) else { continue }
                let chunks = try FileChunks(path: file.path, role.rawValue)
                guard chunks.size == file.artifact.bytes else {
                    throw ClientError(
                        "\(file.path) has \(chunks.size) bytes, not the \(file.artifact.bytes) of its release")
                }
                try await client.sendImage(file.artifact.sha256, bytes: chunks.size, chunks: chunks)
            }
            guard let fetch else {
                let view = try await client.call(.post, "/api/v1/os-releases", body: request, as: OSReleaseView.self)
                return try format.isTable ? Output.print("\(view.name) added") : format.write(view)
            }
            var view = try await client.call(
                .post, "/api/v1/release-fetches", body: fetch, as: ReleaseFetchView.self)
            if wait { view = try await Self.follow(view, client) }
            guard format.isTable else { return try format.write(view) }
            Output.print(wait ? "\(view.name) added" : "\(view.name) is being fetched: \(view.id)")
        }
    }
}

extension InstallRoute: ExpressibleByArgument {}

/// A file as buffers of 1 MiB, read as they are asked for, with a progress line.
struct FileChunks: AsyncSequence, Sendable {
    let path: String
    /// What it is, for the progress line.
    let name: String
    let size: Int64

    init(path: String, _ name: String) throws {
        (self.path, self.name) = (path, name)
        guard let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int64 else {
            throw ClientError("\(path) cannot be read")
        }
        self.size = size
    }

    func makeAsyncIterator() -> Iterator {
        Iterator(handle: FileHandle(forReadingAtPath: path), name: name, size: size)
    }

    struct Iterator: AsyncIteratorProtocol {
        let handle: FileHandle?
        let name: String
        let size: Int64
        var sent: Int64 = 0
        let line = ProgressLine()

        mutating func next() async throws -> ByteBuffer? {
            guard let data = try handle?.read(upToCount: 1 << 20), !data.isEmpty else {
                line.finish()
                return nil
            }
            sent += Int64(data.count)
            line.show("\(name): \(sent / 1_048_576) of \(size / 1_048_576) MiB")
            return ByteBuffer(bytes: data)
        }
    }
}
