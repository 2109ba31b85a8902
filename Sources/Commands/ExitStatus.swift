import ArgumentParser

/// What the exit status of `slipway` says.
enum ExitStatus: Int32, CaseIterable {
    case done = 0
    case failed = 1
    case unreachable = 2
    case usage = 64
    case timedOut = 124
    case interrupted = 130

    var words: String {
        switch self {
        case .done: "done"
        case .failed: "the daemon refused, or the work failed, of at least one of the machines"
        case .unreachable: "the daemon could not be reached, or this client is not set up for it"
        case .usage: "the command line is wrong; nothing was done"
        case .timedOut: "--timeout passed; the work goes on"
        case .interrupted: "interrupted (Ctrl-C); the work goes on"
        }
    }

    var code: ExitCode { ExitCode(rawValue) }
}

struct ExitCodesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exit-codes", abstract: "What the exit status of slipway says.", discussion: table)

    static var table: String {
        TextTable(["STATUS", "MEANING"], ExitStatus.allCases.map { ["\($0.rawValue)", $0.words] }).lines()
            .joined(separator: "\n")
    }

    func run() { Output.print(Self.table) }
}
