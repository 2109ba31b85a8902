import Inventory
import Machines

/// What Pixiecore's API says of one machine: kernel, initrds and command line (its README.api.md). Its own server turns them into
/// a boot; 404 leaves the machine alone.
struct PixiecoreAnswer {
    let bootURL: String
    let arguments: [KernelArgument]

    /// It tells no architecture, and has been for amd64 in practice.
    private func url(_ name: AgentFile.Name) -> String { bootURL + AgentFile(name).path }

    /// No value of it can hold a quote or a backslash: addresses are numbers, and arguments are checked.
    var json: String {
        let line = (["initrd=initrd", "console=tty0", "console=ttyS0,115200", "quiet"] + arguments.map(\.description))
            .joined(separator: " ")
        return """
            {"kernel": "\(url(.kernel))", "initrd": ["\(url(.initrd))"], "cmdline": "\(line)"}

            """
    }
}
