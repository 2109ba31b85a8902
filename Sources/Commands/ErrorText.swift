import APIClient
import APIModel
import ArgumentParser
import Foundation

extension SlipwayCommand {
    /// Runs the command line and ends the process with its exit status.
    public static func run() async {
        do {
            var command = try await asyncParseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let problem as ProblemView {
            Output.tell("slipway: \(problem.detail)" + (problem.field.map { " (field \($0))" } ?? ""))
            if let next = Advice.next(after: problem) { Output.tell("try: \(next)") }
            Foundation.exit(ExitStatus.failed.rawValue)
        } catch let error as ClientError {
            Output.tell("slipway: \(error)")
            if let next = Advice.next(after: error) { Output.tell("try: \(next)") }
            Foundation.exit(ExitStatus.unreachable.rawValue)
        } catch let error as SelectionError {
            Output.tell("slipway: nothing was done: the expression names what there is not\n\(error)")
            Output.tell("try: slipway machine list")
            Foundation.exit(ExitStatus.failed.rawValue)
        } catch {
            exit(withError: error)
        }
    }
}

/// The next command to try after an error. Pure.
enum Advice {
    static func next(after problem: ProblemView) -> String? {
        // Many answers of the daemon name it already.
        if problem.detail.contains("slipway ") { return nil }
        switch problem.status {
        case 401: return "slipway context show, for the token in use; slipwayd left the first one in admin.token"
        case 403: return "a token of the role admin: slipway context add NAME …"
        case 404: return "slipway machine list"
        case 412: return "slipway machine show MACHINE, and again: somebody changed it meanwhile"
        case 500...: return "slipway doctor, and slipwayd's log"
        default: return nil
        }
    }

    static func next(after error: ClientError) -> String? {
        let text = error.description
        if text.contains("try: ") || text.contains("slipway ") { return nil }
        if text.contains("is not who it should be") { return "slipway context show, for the CA file in use" }
        let isNetwork = ["does not answer", "cannot be reached", "ended the watch", "has been silent"].contains(
            where: text.contains)
        return isNetwork ? "slipway context show, for the address in use; systemctl status slipwayd on that host" : nil
    }
}
