import Foundation
import Machines

extension Library: ImageShelf {
    public func files() throws -> [ShelvedFile] {
        try FileManager.default.contentsOfDirectory(atPath: directory).filter(Self.isDigest).compactMap { name in
            let facts = try FileManager.default.attributesOfItem(atPath: directory + "/" + name)
            guard let bytes = facts[.size] as? Int64, let date = facts[.modificationDate] as? Date else { return nil }
            return ShelvedFile(sha256: name, bytes: bytes, storedAt: date)
        }.sorted { ($0.storedAt, $0.sha256) < ($1.storedAt, $1.sha256) }
    }

    public func verify(_ digest: String) async throws -> Bool {
        guard let path = await path(ofImage: digest) else { return false }
        return try await FileDigests.of(path)[.sha256] == digest
    }

    public func remove(_ digest: String) throws {
        guard Self.isDigest(digest) else { throw ImageError(reason: .badDigest(digest)) }
        guard unlink(directory + "/" + digest) == 0 || errno == ENOENT else {
            throw ImageError.fileSystem("remove", directory + "/" + digest)
        }
    }

    public func removeLeftovers(before limit: Date) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) where name.hasPrefix("fetch-") {
            let path = directory + "/" + name
            guard let date = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date,
                date < limit
            else { continue }
            unlink(path)
        }
    }
}
