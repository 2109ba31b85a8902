import Foundation
import TPM
import TestSupport
import Testing

/// swtpm, a TPM 2.0 in software, behind a socket of its own.
final class SoftwareTPM: TPMTransport {
    private let directory: String
    private let process: ChildProcess

    static func with(_ body: (SoftwareTPM) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            let tpm = try SoftwareTPM(directory)
            defer { tpm.process.kill() }
            let isThere = await eventually { FileManager.default.fileExists(atPath: directory + "/socket.ctrl") }
            try #require(isThere, "swtpm did not start:\n\(tpm.process.output)")
            try await body(tpm)
        }
    }

    private init(_ directory: String) throws {
        self.directory = directory
        process = try ChildProcess(
            "swtpm",
            [
                "socket", "--tpm2", "--tpmstate", "dir=" + directory, "--server",
                "type=unixio,path=\(directory)/socket",
                "--ctrl", "type=unixio,path=\(directory)/socket.ctrl", "--flags", "not-need-init,startup-clear",
            ])
    }

    /// A connection for each, as the tools of others do.
    func exchange(_ command: [UInt8]) -> [UInt8]? {
        let file = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array((directory + "/socket").utf8)) }
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(file, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0, write(file, command, command.count) == command.count else { return nil }
        var answer = [UInt8](repeating: 0, count: 4096)
        let count = read(file, &answer, answer.count)
        return count > 0 ? Array(answer[..<count]) : nil
    }

    /// A program of tpm2-tools, on the same TPM.
    @discardableResult func tool(_ name: String, _ arguments: String...) async throws -> String {
        let answer = try await ChildProcess.run(
            name, arguments, environment: ["TPM2TOOLS_TCTI": "swtpm:path=\(directory)/socket"])
        try #require(answer.status == 0, "\(name) \(arguments.joined(separator: " ")):\n\(answer.output)")
        return answer.output
    }

    func path(_ name: String) -> String { directory + "/" + name }

    func hexadecimal(_ name: String) throws -> String {
        try Data(contentsOf: URL(fileURLWithPath: path(name))).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }
}
