import APIModel
import ArgumentParser

/// `slipway`: nouns, then verbs. Data goes to standard output, words to standard error.
///
/// Exit status: 0 done; 1 the server refused or the work failed; 2 could not be reached or set up; 64 wrong usage; 124 `--wait` ran out of time.
public struct SlipwayCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "slipway", abstract: "Provision bare-metal servers, from power-on to registered node.",
        version: Version.current,
        subcommands: [
            MachineCommand.self, NodeCommand.self, OSCommand.self, ClusterCommand.self, EventCommand.self,
            BootCommand.self, ProfileCommand.self, BMCCommand.self, CertificateCommand.self, DoctorCommand.self,
        ])

    public init() {}
}
