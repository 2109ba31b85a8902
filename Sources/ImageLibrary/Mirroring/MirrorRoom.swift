import Machines

/// What leaves a mirror for a file that comes. Pure.
enum MirrorRoom {
    /// - Parameters:
    ///   - files: what is there; `storedAt` is when it was last asked for.
    ///   - coming: bytes of the files on their way.
    ///   - limit: bytes of all together.
    /// - Returns: the files to remove, those that nobody asked for the longest first; nil: there will not be room.
    static func leaving(_ files: [ShelvedFile], coming: Int64, limit: Int64) -> [String]? {
        guard coming <= limit else { return nil }
        var excess = coming + files.reduce(0) { $0 + $1.bytes } - limit
        var leaving: [String] = []
        for file in files.sorted(by: { ($0.storedAt, $0.sha256) < ($1.storedAt, $1.sha256) }) where excess > 0 {
            leaving.append(file.sha256)
            excess -= file.bytes
        }
        return leaving
    }
}
