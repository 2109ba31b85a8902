import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines
import NIOCore

struct OSCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "os", abstract: "Operating systems that can be installed.",
        subcommands: [OSListCommand.self, OSAddCommand.self])
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

struct OSAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add an OS release: sends its files to the daemon, which checks them.")
    @Argument(help: "The release.json that an image build leaves beside its files.") var file: String
    @Option(help: "Name of the release. Default: its OS and version.") var name: String?
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let release = try ReleaseFile.read(file)
        let request = OSReleaseRequest(
            name: name ?? "\(release.os)-\(release.version)", os: release.os, version: release.version,
            architecture: release.architecture, route: release.route,
            artifacts: release.artifacts.mapValues(\.artifact), parameters: release.parameters,
            minimumDiskBytes: release.minimumDiskBytes)
        let files = release.artifacts
        let view = try await connection.withClient { client in
            for (role, file) in files.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                guard try await !client.hasImage(file.artifact.sha256) else { continue }
                let chunks = try FileChunks(path: file.path, role.rawValue)
                guard chunks.size == file.artifact.bytes else {
                    throw ClientError(
                        "\(file.path) has \(chunks.size) bytes, not the \(file.artifact.bytes) of its release")
                }
                try await client.sendImage(file.artifact.sha256, bytes: chunks.size, chunks: chunks)
            }
            return try await client.call(.post, "/api/v1/os-releases", body: request, as: OSReleaseView.self)
        }
        if !format.isTable { try format.write(view) } else { Output.print("\(view.name) added") }
    }
}

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
