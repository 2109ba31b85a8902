import Foundation

/// Recorded Redfish trees of real servers, which are not part of the project: archives in the folder that SLIPWAY_REDFISH_TREES names, or in
/// `shared/redfish` beside the package.
public enum RecordedTrees {
    public static let folder: String? = {
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let named = ProcessInfo.processInfo.environment["SLIPWAY_REDFISH_TREES"]
        let folder = named ?? package.deletingLastPathComponent().appending(path: "shared/redfish").path
        return FileManager.default.fileExists(atPath: folder) ? folder : nil
    }()

    public static let notice: String = "no recorded Redfish trees: set SLIPWAY_REDFISH_TREES to their folder"

    /// Names of the archives, without `.tar.gz`.
    public static let names: [String] = {
        let files = folder.flatMap { try? FileManager.default.contentsOfDirectory(atPath: $0) } ?? []
        return files.filter { $0.hasSuffix(".tar.gz") }.map { String($0.dropLast(".tar.gz".count)) }.sorted()
    }()

    /// Unpacks an archive for the time of `body`.
    public static func with<Result>(_ name: String, _ body: (_ directory: String) async throws -> Result) async throws
        -> Result
    {
        try await withTemporaryDirectory { directory in
            let archive = (folder ?? "") + "/\(name).tar.gz"
            let tar = try await ChildProcess.run("tar", ["-xzf", archive, "-C", directory])
            guard tar.status == 0 else { throw POSIXError(.EIO, userInfo: [NSFilePathErrorKey: archive]) }
            return try await body(directory)
        }
    }
}
