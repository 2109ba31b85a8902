import Foundation
import Machines
import NetworkAddresses
import NetworkBoot
import ProfileFiles

/// What a daemon that only mirrors reads from its configuration file, checked whole at start.
struct MirrorConfiguration: Equatable {
    /// Where it listens.
    var address: IPv4Address
    var bootPort: Int
    /// Where it keeps its files.
    var stateDirectory: String
    /// GiB of all of them.
    var limit: Int
    var images: ImageLimits

    /// - Throws: `ProfileFileError` naming file, line, column and key.
    static func load(_ path: String) throws -> MirrorConfiguration {
        do {
            return try parse(try String(contentsOfFile: path, encoding: .utf8), file: path)
        } catch let error as CocoaError {
            throw ProfileFileError(
                file: path, message: "the configuration cannot be read: \(error.localizedDescription)")
        }
    }

    static func parse(_ text: String, file: String) throws -> MirrorConfiguration {
        var top = try YAMLReader(file: file, text: text)
        guard let address = try top.address("address") else {
            throw top.fault(nil, "address is missing: where machines reach this mirror, or 0.0.0.0")
        }
        let configuration = MirrorConfiguration(
            address: address, bootPort: try top.integer("boot_port", in: 1...65535) ?? 8080,
            stateDirectory: try top.string("state_directory") ?? "/var/lib/slipway-mirror",
            limit: try top.integer("mirror_limit_gib", in: 1...1_000_000) ?? 100,
            images: try ImagesSection.limits(&top))
        try top.finish()
        return configuration
    }
}

/// Keys about images that leave this host.
enum ImagesSection {
    static func limits(_ top: inout YAMLReader) throws -> ImageLimits {
        ImageLimits(
            bytesPerSecond: try top.integer("image_bandwidth_mib", in: 1...1_000_000).map { Double($0) * 1_048_576 },
            perAddress: try top.integer("image_streams_per_address", in: 1...1024) ?? 1)
    }

    /// Reads `mirrors:`, a list.
    static func mirrors(_ top: inout YAMLReader) throws -> [ImageMirror] {
        let mirrors = try top.mappings("mirrors")?.map { reader -> ImageMirror in
            var reader = reader
            let subnet = try reader.parsed("subnet", "a subnet such as 10.20.3.0/24, without host bits") {
                IPv4Network($0)
            }
            let url = try reader.parsed("url", "a mirror such as http://10.20.3.2:8080, by its address", server)
            guard let subnet, let url else { throw reader.fault(nil, "mirrors: needs a subnet and a url") }
            try reader.finish()
            return ImageMirror(subnet: subnet, url: url)
        }
        for (index, mirror) in (mirrors ?? []).enumerated()
        where mirrors?.prefix(index).contains(where: { $0.subnet == mirror.subnet }) == true {
            throw top.fault(key: "mirrors", "mirrors: \(mirror.subnet) has two")
        }
        return mirrors ?? []
    }

    /// `http://ADDRESS[:PORT]`: the agent asks nobody for names.
    static func server(_ text: String) -> String? {
        guard text.hasPrefix("http://") else { return nil }
        let parts = text.dropFirst("http://".count).split(separator: ":", omittingEmptySubsequences: false)
        guard let host = parts.first, IPv4Address(String(host)) != nil, parts.count <= 2 else { return nil }
        guard parts.count == 1 || UInt16(parts[1]).map({ $0 > 0 }) == true else { return nil }
        return text
    }
}
