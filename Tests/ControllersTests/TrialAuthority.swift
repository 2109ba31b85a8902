import Crypto
import Foundation
import TestSupport

/// A CA made by openssl, once.
enum TrialAuthority {
    private static let made = Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "slipway-ca-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
            "/CN=trial", "-keyout", folder.path + "/key.pem", "-out", folder.path + "/ca.pem",
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return try String(contentsOf: folder.appending(path: "ca.pem"), encoding: .utf8)
    }

    static func pem() throws -> String { try made.get() }
}
