/// What a rescue shell is on a machine.
public struct ShellProgram: Sendable {
    var path: String
    /// Where it begins; the root directory if it is not there.
    var home: String

    public init(path: String, home: String) { (self.path, self.home) = (path, home) }

    /// Nothing of the agent's own environment: what a person sees of it is theirs.
    func environment(named machine: String) -> [String] {
        [
            "HOME=\(home)", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", "LC_ALL=C", "USER=root", "LOGNAME=root",
            "SHELL=\(path)", "PS1=\(Self.word(machine)):rescue# ",
        ]
    }

    /// A prompt is expanded by the shell: nothing of a name but what means itself.
    static func word(_ name: String) -> String {
        let plain = name.utf8.filter { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        return String(decoding: plain.prefix(64), as: UTF8.self)
    }
}
