import Glibc
import Inventory
import Machines

/// The iPXE templates of `ipxe-scripts/`, read once at start and rendered for one machine at a time. A template can only be
/// filled with values that cannot end a line or start a command.
public struct IPXEScripts: Sendable {
    /// One template for each kind of script.
    public enum Name: String, Sendable, CaseIterable {
        case agent
        case localDiskBIOS = "local-disk-bios"
        case localDiskUEFI = "local-disk-uefi"
        case refuse
    }

    private let templates: [Name: ScriptTemplate]

    /// - Throws: ``ScriptTemplateError`` naming file and line.
    public init(directory: String) throws {
        templates = try Dictionary(
            uniqueKeysWithValues: Name.allCases.map { name in
                let file = directory + "/" + name.rawValue + ".ipxe"
                guard let source = BootFileDirectory(directory).open(name.rawValue + ".ipxe"), let bytes = source.read()
                else {
                    throw ScriptTemplateError(file: file, line: nil, message: "the template cannot be read")
                }
                return (
                    name,
                    try ScriptTemplate(
                        file: file, text: String(decoding: bytes, as: UTF8.self), known: Self.known(name))
                )
            })
    }

    /// The script, and the template's name for the trace.
    /// - Parameter isUEFI: which firmware runs below iPXE; leaving it goes on to the disk by other means on each.
    public func render(_ script: BootScript, bootURL: String, isUEFI: Bool) -> (name: Name, text: String) {
        switch script {
        case .agent(let arguments):
            let line = arguments.map(\.description).joined(separator: " ")
            return (.agent, text(.agent, ["boot_url": bootURL, "kernel_arguments": line]))
        case .localDisk:
            let name: Name = isUEFI ? .localDiskUEFI : .localDiskBIOS
            return (name, text(name, [:]))
        case .refuse(let reason):
            return (.refuse, text(.refuse, ["reason": Self.printable(reason), "exit_status": isUEFI ? "1" : "0"]))
        }
    }

    private func text(_ name: Name, _ values: [String: String]) -> String {
        templates[name]?.rendered(values) ?? "#!ipxe\nexit 1\n"
    }

    private static func known(_ name: Name) -> Set<String> {
        switch name {
        case .agent: ["boot_url", "kernel_arguments"]
        case .localDiskBIOS, .localDiskUEFI: []
        case .refuse: ["reason", "exit_status"]
        }
    }

    /// Words for `echo`: letters, digits and harmless marks; all else, line ends and `$`, `&`, `|`, `#`, `\` first, becomes a blank.
    static func printable(_ text: String) -> String {
        let marks = Set(".,:;/()_-+='".unicodeScalars)
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(300).map {
                    ($0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0))) || marks.contains($0)
                        ? $0 : " "
                }))
    }
}
