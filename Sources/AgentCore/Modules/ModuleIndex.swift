/// What `depmod` wrote: which module serves which device, and which modules each needs. Pure.
public struct ModuleIndex: Sendable {
    /// Path of each module by its name, with `-` as `_`.
    private var paths: [String: String] = [:]
    /// Names a module needs, in the order in which they must be there before it.
    private var needs: [String: [String]] = [:]
    /// Patterns by the bus they begin with, such as `pci`.
    private var aliases: [String: [(pattern: [UInt8], module: String)]] = [:]

    /// - Parameters:
    ///   - dependencies: text of `modules.dep`.
    ///   - aliases: text of `modules.alias`.
    public init(dependencies: String, aliases: String) {
        for line in dependencies.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard let path = parts.first.map(String.init) else { continue }
            let name = Self.name(ofPath: path)
            paths[name] = path
            // modules.dep lists what is needed nearest first; it is loaded from the far end.
            needs[name] =
                parts.count < 2 ? [] : parts[1].split(separator: " ").reversed().map { Self.name(ofPath: String($0)) }
        }
        for line in aliases.split(separator: "\n") where line.hasPrefix("alias ") {
            let parts = line.split(separator: " ")
            guard parts.count == 3 else { continue }
            let bus = String(parts[1].prefix { $0 != ":" })
            self.aliases[bus, default: []].append((Array(parts[1].utf8), Self.plain(parts[2])))
        }
    }

    /// Modules for a device, by its modalias.
    public func modules(for modalias: String) -> [String] {
        let bus = String(modalias.prefix { $0 != ":" })
        let text = Array(modalias.utf8)
        var found: [String] = []
        for (pattern, module) in aliases[bus] ?? [] where !found.contains(module) && Self.matches(pattern, text) {
            found.append(module)
        }
        return found
    }

    /// Paths to load, in order, for one module; empty when there is no such module.
    public func loadOrder(of module: String) -> [(name: String, path: String)] {
        let name = Self.plain(module[...])
        guard let path = paths[name] else { return [] }
        return (needs[name] ?? []).compactMap { need in paths[need].map { (need, $0) } } + [(name, path)]
    }

    static func name(ofPath path: String) -> String {
        let file = path.split(separator: "/").last ?? path[...]
        return plain(file.prefix { $0 != "." })
    }

    /// The kernel writes `-` as `_` in module names.
    private static func plain(_ name: Substring) -> String { String(name.map { $0 == "-" ? "_" : $0 }) }

    /// `*`, `?` and `[…]` as in fnmatch(3): all that modalias patterns use.
    static func matches(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
        var (p, t) = (0, 0)
        var star: (p: Int, t: Int)?
        while t < text.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                star = (p, t)
                p += 1
            } else if p < pattern.count, let next = single(pattern, p, text[t]) {
                (p, t) = (next, t + 1)
            } else if let last = star {
                (p, t) = (last.p + 1, last.t + 1)
                star = (last.p, last.t + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// Where the pattern goes on when the piece at `p` takes `byte`; nil when it does not.
    private static func single(_ pattern: [UInt8], _ p: Int, _ byte: UInt8) -> Int? {
        switch pattern[p] {
        case UInt8(ascii: "?"): return p + 1
        case UInt8(ascii: "["):
            guard let close = pattern[p...].firstIndex(of: UInt8(ascii: "]")) else { return nil }
            var index = p + 1
            while index < close {
                if index + 2 < close, pattern[index + 1] == UInt8(ascii: "-") {
                    if pattern[index]...max(pattern[index], pattern[index + 2]) ~= byte { return close + 1 }
                    index += 3
                } else {
                    if pattern[index] == byte { return close + 1 }
                    index += 1
                }
            }
            return nil
        default: return pattern[p] == byte ? p + 1 : nil
        }
    }
}
