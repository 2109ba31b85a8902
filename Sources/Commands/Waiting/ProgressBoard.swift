import APIModel
import Foundation
import Inventory
import Machines

/// Many machines and how far the work on each is, as lines. Pure: it reads no clock and writes nothing.
struct ProgressBoard {
    struct Row: Equatable {
        var name: String
        var phase = ""
        var step: String?
        /// 0 to 1; nil: not known.
        var fraction: Double?
        var bytes: Int64 = 0
        var totalBytes: Int64 = 0
        /// Bytes of a second.
        var rate: Double?
        var disks: [DiskProgress] = []
        var verdict = Waiting.Verdict.going
        /// Where the step was when it was first seen, for the rate.
        fileprivate var begin: (time: Date, bytes: Int64)?
        /// What was told last where lines are only added.
        fileprivate var told = ""

        static func == (left: Row, right: Row) -> Bool {
            left.name == right.name && left.phase == right.phase && left.step == right.step
                && left.fraction == right.fraction && left.rate == right.rate && left.disks == right.disks
                && left.verdict == right.verdict
        }
    }

    private(set) var rows: [String: Row] = [:]
    private let order: [String]
    private let startedAt: Date
    private let nameWidth: Int
    /// A word about the connection, in the last line.
    var notice: String?

    /// - Parameter targets: in the order in which they are shown.
    init(_ targets: [Waiting.Target], startedAt: Date) {
        order = targets.map(\.id)
        self.startedAt = startedAt
        nameWidth = min(32, targets.map(\.name.count).max() ?? 0)
        for target in targets { rows[target.id] = Row(name: target.name) }
    }

    /// What a machine shows now. Those that nobody waits for are passed over.
    mutating func update(_ machine: MachineView, verdict: Waiting.Verdict, now: Date) {
        guard var row = rows[machine.id] else { return }
        let progress = machine.operation?.progress
        let step = progress.map { $0.step.words }
        if row.phase != machine.phase.rawValue || row.step != step || (progress?.bytes ?? 0) < row.bytes {
            (row.begin, row.rate) = (nil, nil)
        }
        (row.name, row.phase, row.step, row.verdict) = (machine.name, machine.phase.rawValue, step, verdict)
        (row.bytes, row.totalBytes) = (progress?.bytes ?? 0, progress?.totalBytes ?? 0)
        row.fraction = row.totalBytes > 0 ? min(1, Double(row.bytes) / Double(row.totalBytes)) : nil
        row.disks = progress?.disks ?? []
        if row.totalBytes > 0 {
            if let begin = row.begin {
                let seconds = now.timeIntervalSince(begin.time)
                if seconds >= 1, row.bytes > begin.bytes { row.rate = Double(row.bytes - begin.bytes) / seconds }
            } else {
                row.begin = (now, row.bytes)
            }
        }
        rows[machine.id] = row
    }

    mutating func settle(_ id: String, _ verdict: Waiting.Verdict) { rows[id]?.verdict = verdict }

    var isSettled: Bool { rows.values.allSatisfy { $0.verdict != .going } }

    // MARK: On a terminal

    /// At most `height` lines of at most `width` characters: failures first, then what goes on, then what is done; a summary at the end.
    func lines(width: Int, height: Int, now: Date, painter: Painter, isUnicode: Bool) -> [String] {
        let ordered = order.compactMap { rows[$0] }
        let groups =
            [ordered.filter(\.verdict.isFailure), ordered.filter { $0.verdict == .going && !$0.phase.isEmpty }]
            + [ordered.filter(\.verdict.isDone), ordered.filter { $0.verdict == .going && $0.phase.isEmpty }]
        // All of them fit: nobody changes place while it is looked at.
        let needed = ordered.reduce(1) { $0 + 1 + $1.disks.count }
        let shown = needed <= height ? ordered : groups.flatMap { $0 }
        var lines: [String] = []
        var hidden = 0
        for row in shown {
            let own = self.lines(row, width: width, painter: painter, isUnicode: isUnicode)
            if lines.count + own.count <= max(0, height - 1) {
                lines += own
            } else if lines.count < height - 1 {
                lines.append(own[0])
            } else {
                hidden += 1
            }
        }
        return lines + [summary(hidden: hidden, width: width, now: now, painter: painter)].prefix(max(0, height))
    }

    private func summary(hidden: Int, width: Int, now: Date, painter: Painter) -> String {
        let all = rows.values
        let counts = [
            (all.count(where: \.verdict.isDone), "done"), (all.count(where: \.verdict.isFailure), "failed"),
            (all.count { $0.verdict == .going }, "to go"),
        ].filter { $0.0 > 0 || $0.1 == "done" }.map { "\($0.0) \($0.1)" }
        var text = "\(all.count) machine\(all.count == 1 ? "" : "s"): " + counts.joined(separator: ", ")
        text += "; \(Output.age(startedAt, now: now))"
        if hidden > 0 { text += "; \(hidden) not shown" }
        if let notice { text += "; \(notice)" }
        return painter.paint(TextTable.cut(Output.fitCell(text), to: width), .strong)
    }

    private func lines(_ row: Row, width: Int, painter: Painter, isUnicode: Bool) -> [String] {
        let name = TextTable.cut(Output.fitCell(row.name), to: nameWidth).padding(
            toLength: nameWidth, withPad: " ", startingAt: 0)
        let phase = row.phase.padding(toLength: 11, withPad: " ", startingAt: 0)
        let tone: Tone
        var text: String
        switch row.verdict {
        case .done(let words): (tone, text) = (.good, words ?? "done")
        case .failed(let reason): (tone, text) = (.bad, reason)
        case .going:
            tone = .busy
            text = row.step ?? ""
            if let fraction = row.fraction {
                text =
                    text.padding(toLength: 20, withPad: " ", startingAt: 0) + "  "
                    + Self.bar(fraction, width: width, isUnicode: isUnicode) + "  " + Self.amounts(row)
            }
        }
        let room = max(0, width - nameWidth - phase.count - 4)
        let head =
            name + "  " + painter.paint(phase, row.phase.isEmpty ? nil : tone) + "  "
            + TextTable.cut(Output.fitCell(text), to: room)
        guard row.verdict == .going else { return [head.trimmingTrailingSpaces] }
        return [head.trimmingTrailingSpaces]
            + row.disks.map { disk in
                TextTable.cut(Output.fitCell(Self.line(disk, width: width, isUnicode: isUnicode)), to: width)
            }
    }

    private static func line(_ disk: DiskProgress, width: Int, isUnicode: Bool) -> String {
        var text = "    " + TextTable.cut(disk.disk, to: 20).padding(toLength: 20, withPad: " ", startingAt: 0)
        text += "  " + disk.step.rawValue.padding(toLength: 9, withPad: " ", startingAt: 0)
        text += "  " + (disk.method?.rawValue ?? "").padding(toLength: 22, withPad: " ", startingAt: 0)
        if let fraction = disk.fraction {
            text += "  " + bar(fraction, width: width, isUnicode: isUnicode) + "  " + percent(fraction)
        }
        if let rate = disk.rate { text += "  " + speed(rate) }
        return text.trimmingTrailingSpaces
    }

    /// `████████░░░░`, or `########....` where the terminal has no such signs.
    static func bar(_ fraction: Double, width: Int, isUnicode: Bool) -> String {
        let cells = width >= 120 ? 24 : width >= 90 ? 14 : 8
        let full = min(cells, max(0, Int((fraction * Double(cells)).rounded(.down))))
        let (on, off) = isUnicode ? ("█", "░") : ("#", ".")
        return String(repeating: on, count: full) + String(repeating: off, count: cells - full)
    }

    private static func amounts(_ row: Row) -> String {
        var parts = [percent(row.fraction ?? 0) + " of \(size(Double(row.totalBytes)))"]
        if let rate = row.rate {
            parts.append(speed(rate))
            let seconds = Double(row.totalBytes - row.bytes) / rate
            if seconds.isFinite, seconds < 1e7 { parts.append("ETA \(span(Int(seconds.rounded(.up))))") }
        }
        return parts.joined(separator: "  ")
    }

    static func percent(_ fraction: Double) -> String {
        let text = "\(Int((min(1, max(0, fraction)) * 100).rounded(.down)))%"
        return String(repeating: " ", count: 4 - text.count) + text
    }

    static func size(_ bytes: Double) -> String {
        for (unit, name) in [(1_099_511_627_776.0, "TiB"), (1_073_741_824, "GiB")] where bytes >= unit {
            return String(format: "%.1f \(name)", bytes / unit)
        }
        return "\(Int(bytes / 1_048_576)) MiB"
    }

    private static func speed(_ rate: Double) -> String {
        rate >= 1e9 ? String(format: "%.1f GB/s", rate / 1e9) : "\(Int(min(rate, 1e9) / 1e6)) MB/s"
    }

    private static func span(_ seconds: Int) -> String {
        seconds < 60
            ? "\(seconds)s"
            : seconds < 3600 ? "\(seconds / 60)m\(seconds % 60)s" : "\(seconds / 3600)h\(seconds % 3600 / 60)m"
    }

    // MARK: In a pipe

    /// What is new of a machine, as lines of their own: a change of phase or step, some more of a step, an end.
    mutating func news(of id: String) -> [String] {
        guard let row = rows[id] else { return [] }
        let percent = order.count > 20 ? 25 : 10
        func part(_ fraction: Double?) -> String? {
            fraction.map { "\(Int(min(1, max(0, $0)) * 100) / percent * percent)%" }
        }
        var lines: [String] = []
        switch row.verdict {
        case .done(let words): lines = [words ?? "done"]
        case .failed(let reason): lines = ["failed: \(reason)"]
        case .going:
            if row.phase.isEmpty { return [] }
            var parts = [row.phase] + [row.step].compactMap { $0 }
            if let done = part(row.fraction) { parts.append("\(done) of \(Self.size(Double(row.totalBytes)))") }
            lines = [parts.joined(separator: ", ")]
            for disk in row.disks {
                lines.append(
                    [disk.disk, disk.step.rawValue, disk.method?.rawValue, part(disk.fraction)].compactMap { $0 }
                        .joined(separator: ", "))
            }
        }
        let before = Set(row.told.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
        rows[id]?.told = lines.joined(separator: "\n")
        return lines.filter { !before.contains($0) }.map { "\(row.name): \($0)" }
    }
}
