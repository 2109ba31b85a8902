import Glibc

/// Processes as `/proc` tells of them.
struct ProcessTable {
    struct Entry: Equatable {
        var pid: pid_t
        var parent: pid_t
        var session: pid_t
        /// `Z`: it has ended, and its parent has not asked how.
        var state: Character
    }

    var entries: [Entry]

    init(_ entries: [Entry]) { self.entries = entries }

    init(files: SystemFiles = SystemFiles()) {
        entries = files.list("/proc").compactMap { name in
            guard pid_t(name) != nil, let text = files.text("/proc/\(name)/stat") else { return nil }
            return Self.entry(text)
        }
    }

    /// A line of `/proc/PID/stat` (proc_pid_stat(5)). The name in parentheses may hold anything, parentheses too.
    static func entry(_ text: String) -> Entry? {
        guard let end = text.lastIndex(of: ")"), let pid = pid_t(text.prefix { $0 != " " }) else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 3, let state = fields[0].first, let parent = pid_t(fields[1]),
            let session = pid_t(fields[3])
        else { return nil }
        return Entry(pid: pid, parent: parent, session: session, state: state)
    }

    /// All that descend from a process, without itself.
    func descendants(of ancestor: pid_t) -> [Entry] {
        let children = Dictionary(grouping: entries, by: \.parent)
        var found: [Entry] = []
        var seen: Set<pid_t> = [ancestor]
        var parents = [ancestor]
        while let parent = parents.popLast() {
            for child in children[parent] ?? [] where seen.insert(child.pid).inserted {
                found.append(child)
                parents.append(child.pid)
            }
        }
        return found
    }
}
