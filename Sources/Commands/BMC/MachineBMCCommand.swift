import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines

struct MachineBMCCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bmc", abstract: "Where a machine's BMC is, and how it is logged in to.",
        subcommands: [
            MachineBMCShowCommand.self, MachineBMCSetCommand.self, MachineBMCTrustCommand.self,
            MachineBMCPasswordCommand.self, MachineBMCSetUpCommand.self,
            MachineBMCLANCommand.self, MachineBMCFirmwareSettingsCommand.self, MachineBMCCertificatesCommand.self,
        ])
}

struct MachineBMCShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Ask the BMC what it is.")
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let description = try await connection.call(
            .get, "/api/v1/machines/\(machine.escaped)/bmc", as: BMCDescription.self)
        guard format.isTable else { return try format.write(description) }
        Output.print(BMCText.describe(description).joined(separator: "\n"))
    }
}

struct MachineBMCSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Name a machine's BMC.",
        discussion: "For Wake-on-LAN the address is the broadcast address of the machine's network.")
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @Argument(help: "IP address of the BMC; not with --kind none.") var address: String?
    @OptionGroup var login: BMCLoginOptions
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let view = try await connection.call(
            .post, "/api/v1/machines/\(machine.escaped)/bmc", body: try login.request(address), as: MachineView.self)
        if !format.isTable { return try format.write(view) }
        Output.print("\(view.name): BMC \(view.bmc?.summary ?? "-")")
    }
}

struct MachineBMCTrustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust", abstract: "Believe the certificate that the BMC shows now.",
        discussion:
            "Compare the fingerprint with the one that the BMC's own page shows, or with `slipway bmc probe` from a place that you trust."
    )
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @Option(help: "SHA-256 of the certificate, in hex digits, with or without colons.") var sha256: String
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let view = try await connection.call(
            .post, "/api/v1/machines/\(machine.escaped)/bmc/trust", body: BMCTrustRequest(sha256: sha256),
            as: MachineView.self)
        if !format.isTable { return try format.write(view) }
        Output.print("\(view.name): the certificate \(view.bmc?.certificate?.sha256 ?? sha256) is believed")
    }
}

struct MachineBMCPasswordCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "password", abstract: "Change the password of the BMC's user, from the factory's to the site's.",
        discussion: "Without a file it is a random one that nobody sees. It is kept sealed.")
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @Option(help: "File that holds the new password; - is standard input.") var passwordFile: String?
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let body = BMCPasswordRequest(password: try passwordFile.map { try PasswordFile.read($0) })
        _ = try await connection.call(
            .post, "/api/v1/machines/\(machine.escaped)/bmc/password", body: body, as: DoneView.self)
        Output.print("the password was changed, and opens a session")
    }
}

struct MachineBMCSetUpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set-up", abstract: "Have the machine's agent make a user in its BMC.",
        discussion:
            "The agent talks to the BMC from within the machine (KCS), so the factory's password is not needed. The user's password is random and kept sealed; other users are left alone."
    )
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @Option(help: "Name of the user.") var user = "slipway"
    @Option(help: "Seconds to wait until it is done.") var wait = 60
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let (path, user, wait) = ("/api/v1/machines/\(machine.escaped)", user, wait)
        try await connection.withClient { client in
            _ = try await client.call(
                .post, path + "/bmc/set-up", body: BMCSetUpRequest(username: user), as: DoneView.self)
            for _ in 0..<max(1, wait) {
                let view = try await client.call(.get, path, as: MachineView.self)
                if let reason = view.bmcSetUpFailure { throw ClientError("\(view.name): \(reason)") }
                if view.bmcSetUp == nil {
                    return Output.print("\(view.name): BMC \(view.bmc?.summary ?? "-"), user \(user)")
                }
                try await Task.sleep(for: .seconds(1))
            }
            throw ClientError("the agent has not answered within \(wait) s; see `slipway event list`")
        }
    }
}

struct MachineBMCFirmwareSettingsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bios", abstract: "Settings of a machine's firmware, and whether Secure Boot is on, by Redfish.")
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @Option(help: "Only names that hold this text.") var filter: String?
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let path = "/api/v1/machines/\(machine.escaped)/bmc"
        let attributes = try await connection.call(.get, path + "/bios", as: [String: String].self)
        let shown = attributes.filter { name, _ in filter.map { name.localizedCaseInsensitiveContains($0) } ?? true }
        guard format.isTable else { return try format.write(shown) }
        Output.print(
            Output.table(["SETTING", "VALUE"], shown.sorted { $0.key < $1.key }.map { [$0.key, $0.value] }))
        let state = try await connection.call(.get, path + "/secure-boot", as: SecureBootState.self)
        func words(_ value: Bool?) -> String { value.map { $0 ? "on" : "off" } ?? "not told" }
        Output.tell(
            "Secure Boot: \(words(state.isActive)) now, \(words(state.isEnabled)) for the next boot"
                + (state.mode.map { ", \($0)" } ?? ""))
    }
}

struct MachineBMCCertificatesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificates", abstract: "Certificates by which a machine's BMC shows that it is itself.")
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let list = try await connection.call(
            .get, "/api/v1/machines/\(machine.escaped)/bmc/certificates", as: ListView<BMCCertificate>.self)
        guard format.isTable else { return try format.write(list.items) }
        Output.print(list.items.map { BMCText.describe($0).joined(separator: "\n") }.joined(separator: "\n\n"))
    }
}
