import APIModel
import ArgumentParser

/// `slipway`: nouns, then verbs. Data goes to standard output, words to standard error.
/// What its exit status says is ``ExitStatus``.
public struct SlipwayCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "slipway", abstract: "Provision bare-metal servers, from power-on to registered node.",
        discussion: "What the exit status says: slipway help exit-codes.", version: Version.current,
        subcommands: [
            MachineCommand.self, OperationCommand.self, NodeCommand.self, OSCommand.self, ClusterCommand.self,
            EventCommand.self,
            BootCommand.self, ProfileCommand.self, BMCCommand.self, CertificateCommand.self, ProblemCommand.self,
            ReportCommand.self, DoctorCommand.self, WaitCommand.self, ApplyCommand.self, ContextCommand.self,
            CompletionCommand.self, ExitCodesCommand.self,
        ])

    public init() {}
}
