import Foundation

/// Programs from PyPI that tests run against: `make deps` puts them into `.cache/python`.
public enum PythonPeer {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: ".cache/python/bin").path

    /// The path of a program; it is not there when `make deps` was not run.
    public static func path(_ program: String) throws -> String {
        let path = folder + "/" + program
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw CocoaError(.fileNoSuchFile, userInfo: [NSFilePathErrorKey: path + " (make deps installs it)"])
        }
        return path
    }

    /// What programs see that must not ask a proxy for this machine.
    public static let environment = [
        "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore",
        "PYTHONDONTWRITEBYTECODE": "1",
    ]
}
