import APIClient
import ArgumentParser
import Foundation

struct ContextCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "context", abstract: "The daemons that this client knows, and which of them it talks to.",
        discussion: "A context is an address, a token and a CA certificate, in ~/.config/slipway (docs/cli.md).",
        subcommands: [
            ContextListCommand.self, ContextUseCommand.self, ContextShowCommand.self, ContextAddCommand.self,
            ContextRemoveCommand.self,
        ])
}

/// A context without its token.
struct ContextView: NamedView {
    var name: String
    var server: String?
    var ca: String?
    var hasToken: Bool
    var current: Bool

    init(_ name: String, _ context: ContextFile, current: Bool) {
        (self.name, server, ca, self.current) = (name, context.server, context.ca, current)
        hasToken = context.token.map { !$0.isEmpty } ?? false
    }
}

struct ContextListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "All contexts.")
    @OptionGroup var format: FormatOption

    func run() throws {
        let environment = ProcessInfo.processInfo.environment
        let store = ContextStore(environment)
        let current = try? store.load(nil, environment).name
        let views = try store.names().map { ContextView($0, try store.context($0), current: $0 == current) }
        guard format.isTable else { return try format.write(views) }
        let rows = views.map {
            [$0.current ? "*" : "", $0.name, $0.server ?? "-", $0.ca ?? "-", $0.hasToken ? "yes" : "no"]
        }
        format.show(TextTable(["", "NAME", "SERVER", "CA", "TOKEN"], rows))
        if views.isEmpty {
            Output.tell(
                "no context yet; try: slipway context add NAME --server https://HOST:8443 --ca FILE --token-file FILE")
        }
    }
}

struct ContextShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "One context; without a name the one in use. Its token is never shown.")
    @Argument(help: "Its name.", completion: .context) var name: String?
    @OptionGroup var format: FormatOption

    func run() throws {
        let environment = ProcessInfo.processInfo.environment
        let store = ContextStore(environment)
        let current = try store.load(nil, environment)
        let view =
            try name.map { ContextView($0, try store.context($0), current: $0 == current.name) }
            ?? ContextView(current.name, current.context, current: true)
        guard format.isTable else { return try format.write(view) }
        Output.print(
            Output.lines([
                ("name", view.name), ("server", view.server ?? "-"), ("ca", view.ca ?? "the system's trust store"),
                ("token", view.hasToken ? "there is one" : "none"), ("in use", view.current ? "yes" : "no"),
            ]))
    }
}

struct ContextUseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "use", abstract: "Talk to this daemon from now on.")
    @Argument(help: "Its name.", completion: .context) var name: String

    func run() throws {
        let environment = ProcessInfo.processInfo.environment
        try ContextStore(environment).use(name)
        Output.print("using \(name)")
        for variable in ["SLIPWAY_CONTEXT", "SLIPWAY_SERVER", "SLIPWAY_TOKEN", "SLIPWAY_CA"]
        where !(environment[variable] ?? "").isEmpty {
            Output.tell("\(variable) is set, and goes before it: unset \(variable)")
        }
    }
}

struct ContextAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a context. The first one is used at once.")
    @Argument(help: "Its name.") var name: String
    @Option(help: ArgumentHelp("Address of the daemon.", valueName: "https://host:8443")) var server: String
    @Option(help: ArgumentHelp("CA certificate of the installation, in PEM.", valueName: "file"), completion: .file())
    var ca: String?
    @Option(help: ArgumentHelp("File with the token; - is standard input.", valueName: "file"), completion: .file())
    var tokenFile: String
    @Flag(help: "Overwrite the context of that name.") var replace = false

    func validate() throws {
        guard let url = URL(string: server), url.scheme == "https", let host = url.host, !host.isEmpty else {
            throw ValidationError("\(server) is not an address such as https://10.20.0.2:8443")
        }
    }

    func run() throws {
        let store = ContextStore(ProcessInfo.processInfo.environment)
        let path = ca.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
        if let path, !FileManager.default.isReadableFile(atPath: path) {
            throw ClientError("the CA file \(path) cannot be read")
        }
        let token = try PasswordFile.read(tokenFile).trimmingCharacters(in: .whitespaces)
        guard !token.isEmpty else { throw ClientError("the token file \(tokenFile) is empty") }
        let isFirst = try store.names().isEmpty
        try store.add(name, ContextFile(server: server, token: token, ca: path), replace: replace)
        if isFirst, name != ContextStore.plain { try store.use(name) }
        Output.print("\(name) added" + (isFirst ? ", and in use" : ""))
    }
}

struct ContextRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Forget a context and its token.")
    @Argument(help: "Its name.", completion: .context) var name: String

    func run() throws {
        try ContextStore(ProcessInfo.processInfo.environment).remove(name)
        Output.print("\(name) removed")
    }
}
