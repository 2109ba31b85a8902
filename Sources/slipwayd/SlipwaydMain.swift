import ArgumentParser
import DaemonCore

@main
struct SlipwaydMain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slipwayd", abstract: "The Slipway daemon: boots, inventories and provisions bare-metal servers.",
        version: Daemon.version)

    @Option(help: "Configuration file.") var config = "/etc/slipway/slipwayd.yaml"
    @Option(help: "trace, debug, info, notice, warning or error.") var logLevel = "info"
    @Option(
        help: ArgumentHelp(
            "Only keep and serve the images of another slipwayd: the URL of its boot HTTP server.", valueName: "url"))
    var mirrorOf: String?
    @Flag(help: "Check the configuration and stop.") var check = false

    func run() async throws {
        if let mirrorOf {
            return try await MirrorDaemon.main(
                origin: mirrorOf, configurationFile: config, logLevel: logLevel, checkOnly: check)
        }
        try await Daemon.main(configurationFile: config, logLevel: logLevel, checkOnly: check)
    }
}
