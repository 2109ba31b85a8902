import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines

struct CompletionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion", abstract: "What makes a shell complete commands, options and machines' names.",
        discussion: """
            bash:  slipway completion bash > ~/.local/share/bash-completion/completions/slipway
            zsh:   slipway completion zsh > "${fpath[1]}/_slipway"      (and compinit)
            fish:  slipway completion fish > ~/.config/fish/completions/slipway.fish
            """)

    enum Shell: String, ExpressibleByArgument, CaseIterable { case bash, zsh, fish }

    @Argument(help: "bash, zsh or fish.") var shell: Shell

    func run() throws {
        guard let found = CompletionShell(rawValue: shell.rawValue) else { throw ExitStatus.usage.code }
        Output.write(SlipwayCommand.completionScript(for: found))
        if Screen.output.isTerminal { Output.tell("\n" + Self.configuration.discussion) }
    }
}

extension CompletionKind {
    /// Names of machines, as the daemon knows them.
    static var machine: CompletionKind {
        .custom { words, _, _ async in
            await Completion.names(words, "/api/v1/machines", as: MachineView.self)
        }
    }

    static var cluster: CompletionKind {
        .custom { words, _, _ async in await Completion.names(words, "/api/v1/clusters", as: ClusterView.self) }
    }

    static var release: CompletionKind {
        .custom { words, _, _ async in await Completion.names(words, "/api/v1/os-releases", as: OSReleaseView.self) }
    }

    /// Names of contexts of this client.
    static var context: CompletionKind {
        .custom { _, _, _ in (try? ContextStore(ProcessInfo.processInfo.environment).names()) ?? [] }
    }
}

/// Asks the daemon for what may stand next on a command line. Nobody wants to read errors there, or to wait: then there is nothing.
enum Completion {
    private static let patience = Duration.seconds(2)

    static func names<View: NamedView & Codable & Sendable>(
        _ words: [String], _ path: String, as _: View.Type
    ) async -> [String] {
        await withTaskGroup(of: [String].self) { group in
            group.addTask {
                let items = try? await connection(words).withClient { client in
                    try await client.list(path, as: View.self)
                }
                return items?.map { Output.fitCell($0.name) } ?? []
            }
            group.addTask {
                try? await Task.sleep(for: patience)
                return []
            }
            let names = await group.next() ?? []
            group.cancelAll()
            return names
        }
    }

    /// The options of the line that say where the daemon is.
    static func connection(_ words: [String]) -> ConnectionOptions {
        var arguments: [String] = []
        for (place, word) in words.enumerated() {
            for name in ["--server", "--ca", "--context"] {
                if word == name, place + 1 < words.count { arguments += [name, words[place + 1]] }
                if word.hasPrefix(name + "=") { arguments.append(word) }
            }
        }
        return (try? ConnectionOptions.parse(arguments)) ?? (try? ConnectionOptions.parse([])) ?? ConnectionOptions()
    }
}
