import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines

extension BMCKind: ExpressibleByArgument {}
extension BMCVerification: ExpressibleByArgument {}

/// How to log in to a BMC. A password is never an argument: others on the host could read it.
struct BMCLoginOptions: ParsableArguments {
    @Option(help: "redfish, ipmi, wake-on-lan or none; without it Redfish or IPMI, whichever answers.")
    var kind: BMCKind?
    @Option(help: "Port, where it is not the protocol's own.") var port: Int?
    @Option(
        help: ArgumentHelp(
            "Which certificate is believed: the one it shows first (first-use), one that an authority of the daemon's bmc_authorities signed, or any (off).",
            valueName: "first-use|authorities|off")) var verification: BMCVerification?
    @Option(help: "User on the BMC.") var user: String?
    @Option(help: "File that holds its password; - is standard input.") var passwordFile: String?

    @Flag(inversion: .prefixedNo, help: "Open the serial console during boots, and keep what they print.")
    var recordConsole = true

    func validate() throws {
        guard (user == nil) == (passwordFile == nil) else {
            throw ValidationError("--user and --password-file go together")
        }
    }

    func request(_ address: String?) throws -> BMCRequest {
        BMCRequest(
            address: address, port: port, kind: kind, verification: verification, username: user,
            password: try passwordFile.map { try PasswordFile.read($0) }, recordsConsole: recordConsole ? nil : false)
    }
}

enum PasswordFile {
    /// The first line of a file; `-` is standard input.
    static func read(_ path: String) throws -> String {
        do {
            let data =
                try path == "-"
                ? FileHandle.standardInput.readToEnd() ?? Data() : Data(contentsOf: URL(fileURLWithPath: path))
            // CR and LF are one Character.
            return String(String(decoding: data, as: UTF8.self).prefix { !$0.isNewline })
        } catch {
            throw ClientError("the password file \(path) cannot be read: \(error.localizedDescription)")
        }
    }
}
