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
                $0.name, $0.os, $0.version, $0.architecture, "\($0.image.compressedBytes / 1_048_576) MiB",
                $0.cached ? "yes" : "no",
            ]
        }
        format.show(TextTable(["NAME", "OS", "VERSION", "ARCH", "IMAGE", "CACHED"], rows))
    }
}

/// `release.json` beside its image, as image builds leave it.
struct ReleaseFile: Codable {
    var os: String
    var version: String
    var architecture: String
    /// File name of the image, beside this file.
    var image: String
    var compression: InstallOrder.Compression
    var sha256: String
    var compressedBytes: Int64
    var rawBytes: Int64
    var minimumDiskBytes: Int64
}

struct OSAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add an OS release: sends its image to the daemon, which checks it.")
    @Argument(help: "The release.json that an image build leaves beside its image.") var file: String
    @Option(help: "Name of the release. Default: its OS and version.") var name: String?
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let release: ReleaseFile
        do {
            release = try JSONDecoder().decode(ReleaseFile.self, from: Data(contentsOf: URL(fileURLWithPath: file)))
        } catch {
            throw ClientError("the release file \(file) cannot be read: \(error)")
        }
        guard !release.image.contains("/") else { throw ClientError("\(file): image is a file name, not a path") }
        let image = URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent(release.image).path
        let request = OSReleaseRequest(
            name: name ?? "\(release.os)-\(release.version)", os: release.os, version: release.version,
            architecture: release.architecture,
            image: .init(
                sha256: release.sha256, compression: release.compression, compressedBytes: release.compressedBytes,
                rawBytes: release.rawBytes), minimumDiskBytes: release.minimumDiskBytes)
        let view = try await connection.withClient { client in
            if try await !client.hasImage(release.sha256) {
                let chunks = try FileChunks(path: image)
                guard chunks.size == release.compressedBytes else {
                    throw ClientError("\(image) has \(chunks.size) bytes, and \(file) says \(release.compressedBytes)")
                }
                try await client.sendImage(release.sha256, bytes: chunks.size, chunks: chunks)
            }
            return try await client.call(.post, "/api/v1/os-releases", body: request, as: OSReleaseView.self)
        }
        if !format.isTable { try format.write(view) } else { Output.print("\(view.name) added") }
    }
}

/// A file as buffers of 1 MiB, read as they are asked for, with a progress line.
struct FileChunks: AsyncSequence, Sendable {
    let path: String
    let size: Int64

    init(path: String) throws {
        self.path = path
        guard let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int64 else {
            throw ClientError("\(path) cannot be read")
        }
        self.size = size
    }

    func makeAsyncIterator() -> Iterator { Iterator(handle: FileHandle(forReadingAtPath: path), size: size) }

    struct Iterator: AsyncIteratorProtocol {
        let handle: FileHandle?
        let size: Int64
        var sent: Int64 = 0
        let line = ProgressLine()

        mutating func next() async throws -> ByteBuffer? {
            guard let data = try handle?.read(upToCount: 1 << 20), !data.isEmpty else {
                line.finish()
                return nil
            }
            sent += Int64(data.count)
            line.show("image: \(sent / 1_048_576) of \(size / 1_048_576) MiB")
            return ByteBuffer(bytes: data)
        }
    }
}
