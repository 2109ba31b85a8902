import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines

struct CertificateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificate", abstract: "Proofs of wipes, signed and chained.",
        subcommands: [
            CertificateListCommand.self, CertificateShowCommand.self, CertificateExportCommand.self,
            CertificateVerifyCommand.self, CertificateKeyCommand.self,
        ])
}

struct CertificateListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "All wipe certificates.")
    @Option(help: "Only this machine's: id, name, MAC address or serial number.") var machine: String?
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let query = machine.map { "?machine=\($0.escaped)" } ?? ""
        let list = try await connection.call(
            .get, "/api/v1/certificates" + query, as: ListView<CertificateSummary>.self)
        guard format.isTable else { return try format.write(list.items) }
        let rows = list.items.map { certificate in
            [
                certificate.id, certificate.machineName, APICoding.format(certificate.issuedAt),
                "\(certificate.disks)", "\(certificate.leftAlone)", certificate.category.rawValue,
                certificate.requestedBy, certificate.operation,
            ]
        }
        Output.print(
            Output.table(
                ["ID", "MACHINE", "ISSUED", "DISKS", "LEFT ALONE", "CATEGORY", "ASKED BY", "OPERATION"], rows))
    }
}

struct CertificateShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "One certificate, or its page to print.",
        discussion: "With --format json it is what `verify` reads: keep it.")
    @Argument(help: "Its id or number.") var certificate: String
    @Option(help: ArgumentHelp("Write the page to print there instead.", valueName: "file")) var html: String?
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let path = "/api/v1/certificates/\(certificate.escaped)"
        if let html {
            let page = try await connection.withClient { try await $0.text(path + "/page") }
            return try CertificateFile.write(page, to: html)
        }
        let view = try await connection.call(.get, path, as: CertificateView.self)
        guard format.isTable else { return try format.write(view) }
        Output.print(CertificateText.describe(view))
    }
}

struct CertificateExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "All certificates as files, with the public key, for the archive.",
        discussion: "Files that are there already are left as they are: a certificate never changes.")
    @Option(name: [.short, .long], help: ArgumentHelp("Where to; it is made.", valueName: "directory"))
    var output = "."
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let directory = output
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw ClientError("the directory \(directory) cannot be made: \(error.localizedDescription)")
        }
        let (new, all) = try await connection.withClient { client in
            try CertificateFile.write(
                try await client.text("/api/v1/certificates/key"), to: directory + "/certificate-key.pem")
            let list = try await client.call(.get, "/api/v1/certificates", as: ListView<CertificateSummary>.self).items
            var new = 0
            for certificate in list {
                let file = "\(directory)/\(certificate.id.escaped).json"
                guard !FileManager.default.fileExists(atPath: file) else { continue }
                let view = try await client.call(
                    .get, "/api/v1/certificates/\(certificate.id.escaped)", as: CertificateView.self)
                try CertificateFile.write(try CertificateFile.text(view), to: file)
                new += 1
            }
            return (new, list.count)
        }
        Output.print("\(directory): \(all) certificates, \(new) of them new, and certificate-key.pem")
    }
}

struct CertificateKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "The public key that certificates are verified with, in PEM.",
        discussion: "Keep it where whoever keeps the certificates cannot change it.")
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let pem = try await connection.withClient { try await $0.text("/api/v1/certificates/key") }
        Output.print(pem.trimmingCharacters(in: .newlines))
    }
}
