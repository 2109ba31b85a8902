import ArgumentParser
import DaemonCore

@main
struct SlipwaydMain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slipwayd", abstract: "The Slipway daemon: boots, inventories and provisions bare-metal servers.",
        version: Daemon.version)

    @Option(help: "Configuration file.") var config = "/etc/slipway/slipwayd.yaml"
    @Option(help: "trace, debug, info, notice, warning or error.") var logLevel = "info"
    @Flag(help: "Check the configuration and stop.") var check = false

    func run() async throws {
        try await Daemon.main(configurationFile: config, logLevel: logLevel, checkOnly: check)
    }
}
