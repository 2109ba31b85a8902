import APIClient
import APIModel
import ArgumentParser
import Foundation

extension SlipwayCommand {
    /// Runs the command line and ends the process with its exit status.
    public static func run() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let problem as ProblemView {
            Output.tell("slipway: \(problem.detail)" + (problem.field.map { " (field \($0))" } ?? ""))
            Foundation.exit(1)
        } catch let error as ClientError {
            Output.tell("slipway: \(error)")
            Foundation.exit(2)
        } catch {
            exit(withError: error)
        }
    }
}
