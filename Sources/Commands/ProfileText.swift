import APIModel
import Inventory

/// What profiles give, in words. Pure.
enum ProfileText {
    static func describe(_ profile: ProfileView) -> String {
        let lines = [
            ("name", profile.name), ("priority", "\(profile.priority)"), ("match", profile.match),
            ("machines", "\(profile.machines)"), ("from", profile.origin),
        ]
        return Output.lines(lines + self.lines(profile.gives, all: true))
    }

    /// What sets it apart from a profile that says nothing: for one column.
    static func brief(_ gives: ProfileGifts) -> String {
        let lines = lines(gives, all: false).filter { $0.0 != "arguments" }
        return lines.isEmpty ? "-" : lines.map { "\($0.0) \($0.1)" }.joined(separator: "; ")
    }

    /// - Parameter all: also what every profile has.
    static func lines(_ gives: ProfileGifts, all: Bool) -> [(String, String)] {
        var lines: [(String, String)] = []
        func add(_ name: String, _ text: String?) { if let text, !text.isEmpty { lines.append((name, text)) } }
        func list(_ items: [String]) -> String { items.joined(separator: ", ") }
        add("console", list(gives.consoles))
        if all || !gives.kexec { add("kexec", gives.kexec ? "yes" : "no") }
        if all {
            add("root disk", gives.rootDisk == RootDiskHint() ? "the only one that fits" : gives.rootDisk.words)
            add("read back", gives.readBack.rawValue)
            add("boot order", gives.bootOrder.rawValue)
        }
        add("arguments", gives.kernelArguments.joined(separator: " "))
        add("program", gives.bootProgram)
        add("proxy form", gives.proxyForm?.rawValue)
        add("local disk", list(gives.localDisk.map(\.rawValue)))
        add("wipe", gives.wipe?.words)
        add("bmc quirks", list(gives.bmcQuirks.map(\.rawValue)))
        add("bmc settle", gives.powerSettleSeconds.map { "\($0)s" })
        add("labels", labels(gives.labels))
        if let allowed = gives.allowedReleases { add("releases", allowed.isEmpty ? "none" : list(allowed)) }
        return lines
    }

    static func labels(_ labels: [String: String]) -> String {
        labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
    }
}

extension ProfileView {
    /// Where the daemon has it from, in words.
    var origin: String { text == nil ? "its files" : appliedBy.map { "set \($0)" } ?? "the API" }
}
