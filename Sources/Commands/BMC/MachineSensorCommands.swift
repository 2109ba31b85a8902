import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines

struct MachineIdentifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "identify", abstract: "Switch the light by which a machine is found in its rack.")
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @Argument(help: "on, off, or briefly: some seconds.") var light: IdentifyLight = .briefly
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let done = try await connection.call(
            .post, "/api/v1/machines/\(machine.escaped)/identify", body: IdentifyRequest(light: light),
            as: IdentifyRequest.self)
        Output.print("identify light \(done.light.rawValue)")
    }
}

extension IdentifyLight: ExpressibleByArgument {}

struct MachineSensorsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sensors", abstract: "Temperatures, fans, voltages: what the BMC measures.")
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @Flag(help: "Only those that are not well.") var problems = false
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let list = try await connection.call(
            .get, "/api/v1/machines/\(machine.escaped)/sensors", as: ListView<SensorReading>.self)
        let readings = list.items.filter { !problems || [.warning, .critical].contains($0.health) }
        guard format.isTable else { return try format.write(readings) }
        let rows = readings.map { reading in
            [
                reading.name, reading.kind, BMCText.value(reading), reading.health.rawValue,
                reading.states.joined(separator: ", "),
            ]
        }
        Output.print(Output.table(["SENSOR", "KIND", "VALUE", "HEALTH", "STATE"], rows))
    }
}

struct MachineSELCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sel", abstract: "The BMC's event log, the newest last.")
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @Option(help: "Only the newest ones.") var limit = 100
    @Flag(help: "Empty the log.") var clear = false
    @Flag(help: "Go on as things happen; what is in the log already is not shown.") var follow = false
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let path = "/api/v1/machines/\(machine.escaped)/event-log"
        if clear {
            _ = try await connection.call(.delete, path, as: DoneView.self)
            return Output.print("the event log is empty")
        }
        if follow {
            let isTable = format.isTable
            return try await connection.withClient { client in
                try await client.watch(path + "?watch=true", as: BMCLogEntry.self) { event in
                    guard case .put(let entry) = event else { return true }
                    Output.print(
                        isTable
                            ? Self.row(entry).joined(separator: "  ")
                            : String(decoding: try APICoding.encoder.encode(entry), as: UTF8.self))
                    return true
                }
            }
        }
        let list = try await connection.call(.get, path, as: ListView<BMCLogEntry>.self)
        let entries = Array(list.items.prefix(max(0, limit)).reversed())
        guard format.isTable else { return try format.write(entries) }
        Output.print(Output.table(["ID", "TIME", "SEVERITY", "SOURCE", "MESSAGE"], entries.map(Self.row)))
    }

    private static func row(_ entry: BMCLogEntry) -> [String] {
        [
            entry.id, entry.time.map { APICoding.format($0) } ?? "-", entry.severity.rawValue, entry.source ?? "-",
            entry.message,
        ]
    }
}

struct MachineFirmwareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "firmware", abstract: "Versions of a machine's firmware, as its BMC knows them.")
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let list = try await connection.call(
            .get, "/api/v1/machines/\(machine.escaped)/firmware", as: ListView<FirmwareComponent>.self)
        guard format.isTable else { return try format.write(list.items) }
        let rows = list.items.map { part in
            [part.name, part.version, part.isUpdateable.map { $0 ? "yes" : "no" } ?? "-"]
        }
        Output.print(Output.table(["PART", "VERSION", "UPDATEABLE"], rows))
    }
}

struct MachineMediaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "media", abstract: "Put a virtual CD into a machine, or take it out.")
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @Argument(help: "URL of the image, as the BMC reaches it; without one the CD is taken out.") var url: String?
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let done = try await connection.call(
            .post, "/api/v1/machines/\(machine.escaped)/virtual-media", body: VirtualMediaRequest(url: url),
            as: VirtualMediaRequest.self)
        Output.print(done.url.map { "virtual CD \($0) is in" } ?? "the virtual CD is out")
    }
}
