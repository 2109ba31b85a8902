import APIModel
import Machines

/// What a machine would get, as lines for people.
enum RenderingText {
    static func lines(_ view: RenderingView) -> [String] {
        head(view).map { Output.fitCell($0) }
            + view.files.flatMap { file in ["", Output.fitCell("=== " + title(file))] + lines(of: file.content) }
    }

    /// In the manner of a unified diff; empty: there is no difference.
    static func difference(from old: RenderingView, to new: RenderingView) -> [String] {
        var lines = LineDifference(from: head(old), to: head(new)).unified("installed", "now")
        let titles = (old.files + new.files).map(title).reduce(into: [String]()) { seen, title in
            if !seen.contains(title) { seen.append(title) }
        }
        for title in titles {
            func content(_ view: RenderingView) -> [String] {
                view.files.first { Self.title($0) == title }.map { Self.lines(of: $0.content) } ?? []
            }
            lines += LineDifference(from: content(old), to: content(new)).unified(
                "installed: \(title)", "now: \(title)")
        }
        guard lines.isEmpty, old.digest != new.digest else { return lines }
        return ["what is sealed, or a file of the release, is another now"]
    }

    private static func head(_ view: RenderingView) -> [String] {
        [
            "release \(view.release), cluster \(view.cluster), \(view.role.rawValue)", "disk \(view.disk)",
            "route \(view.route.rawValue), entered by \(view.entry)",
        ] + (view.kernelArguments.map { ["kernel arguments " + $0] } ?? [])
    }

    private static func title(_ file: RenderedFile) -> String {
        "\(file.place): \(file.path)" + (file.mode.map { " 0\(String($0, radix: 8))" } ?? "")
    }

    /// Each fit for a terminal.
    private static func lines(of text: String) -> [String] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { Output.fitCell(String($0)) }
        if lines.last == "" { lines.removeLast() }
        return lines
    }
}

/// What became of a text, line by line.
struct LineDifference {
    enum Line: Equatable { case same(String), gone(String), new(String) }

    private(set) var lines: [Line] = []

    init(from old: [String], to new: [String]) {
        let difference = new.difference(from: old)
        let (gone, added) = (Self.offsets(difference.removals), Self.offsets(difference.insertions))
        var (before, after) = (0, 0)
        while before < old.count || after < new.count {
            if gone.contains(before) {
                lines.append(.gone(old[before]))
                before += 1
            } else if added.contains(after) {
                lines.append(.new(new[after]))
                after += 1
            } else {
                lines.append(.same(new[after]))
                (before, after) = (before + 1, after + 1)
            }
        }
    }

    private static func offsets(_ changes: [CollectionDifference<String>.Change]) -> Set<Int> {
        Set(
            changes.map { change in
                switch change {
                case .remove(let offset, _, _), .insert(let offset, _, _): offset
                }
            })
    }

    /// With up to three lines around each change; empty when there is none.
    func unified(_ old: String, _ new: String, context: Int = 3) -> [String] {
        let changed = lines.indices.filter { if case .same = lines[$0] { false } else { true } }
        guard !changed.isEmpty else { return [] }
        let shown = Set(changed.flatMap { max(0, $0 - context)...min(lines.count - 1, $0 + context) })
        var result = ["--- \(old)", "+++ \(new)"]
        var last = -1
        for index in shown.sorted() {
            if index > last + 1 { result.append("@@") }
            last = index
            switch lines[index] {
            case .same(let line): result.append(" " + line)
            case .gone(let line): result.append("-" + line)
            case .new(let line): result.append("+" + line)
            }
        }
        return result
    }
}
