import APIClient
import APIModel
import ArgumentParser
import Crypto
import Foundation
import Machines

struct CertificateVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check certificates in files: signatures, and that none is missing.",
        discussion: """
            With --key nothing is asked of anybody: the files and the key are enough. Without it the installation is asked for its key.

            Several files are taken for the whole chain, from number 1 on; --partial takes them for some of it. Certificates that are missing at \
            the end nobody can see: compare the last number with what you know. Ends with status 1 and the reason when something is wrong.
            """)
    @Argument(help: ArgumentHelp("Files, or directories of them.", valueName: "file")) var files: [String]
    @Option(help: ArgumentHelp("The public key in PEM.", valueName: "file")) var key: String?
    @Flag(help: "They are some of the chain: numbers may be missing.") var partial = false
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let views = try CertificateFile.read(files)
        let pem: String
        if let key {
            pem = try CertificateFile.text(at: key)
        } else {
            pem = try await connection.withClient { try await $0.text("/api/v1/certificates/key") }
        }
        guard let publicKey = CertificateKey.read(pem) else {
            throw ClientError("\(key ?? "what the server answered") is no Ed25519 public key in PEM")
        }
        do {
            let statements = try CertificateFile.check(views, key: publicKey, isPartial: partial)
            Output.print(Self.words(statements, isChain: views.count > 1 && !partial))
        } catch {
            Output.tell("slipway: \(error)")
            throw ExitCode(1)
        }
    }

    private static func words(_ statements: [WipeStatement], isChain: Bool) -> String {
        let lines = statements.map { statement in
            let disks = statement.disks.map { $0.serial ?? $0.wwn ?? $0.path }.joined(separator: ", ")
            return
                "ok  \(WipeCertificate.id(statement.sequence))  \(statement.machine.name)  \(statement.category.rawValue)  \(disks)"
        }
        let last = statements.last?.sequence ?? 0
        return
            (lines + [
                isChain
                    ? "\(statements.count) certificates, 1 to \(last): signatures and chain are right"
                    : "\(statements.count) \(statements.count == 1 ? "certificate: its signature is" : "certificates: their signatures are") right"
            ]).joined(separator: "\n")
    }
}
