/// A table for people. Pure.
struct TextTable {
    struct Column {
        var title: String
        /// Only shown with `--format wide`.
        var isWide = false
        /// It never gives way.
        var isFirm = false
        /// What a cell means; nil: nothing.
        var tone: @Sendable (String) -> Tone? = { _ in nil }
    }

    var columns: [Column]
    var rows: [[String]]

    /// Cells get no narrower than this where the terminal is.
    private static let narrowest = 8

    init(_ columns: [Column], _ rows: [[String]]) { (self.columns, self.rows) = (columns, rows) }

    init(_ titles: [String], _ rows: [[String]]) { self.init(titles.map { Column(title: $0) }, rows) }

    /// The header, then a line for each row. Columns are as wide as their widest cell; where that is too much, the widest ones give way.
    /// - Parameter width: of the terminal; nil: as wide as it is.
    func lines(isWide: Bool = false, width: Int? = nil, painter: Painter = Painter(isOn: false)) -> [String] {
        let chosen = columns.indices.filter { isWide || !columns[$0].isWide }
        let titles = chosen.map { columns[$0].title }
        let cells = rows.map { row in chosen.map { Output.fitCell(row[$0]) } }
        var widths = titles.indices.map { column in ([titles] + cells).map { $0[column].count }.max() ?? 0 }
        if let width { shrink(&widths, chosen, to: width - 2 * (widths.count - 1)) }
        func line(_ cells: [String], _ tone: (Int, String) -> Tone?) -> String {
            var text = ""
            for (column, cell) in cells.enumerated() {
                let shown = Self.cut(cell, to: widths[column])
                text += painter.paint(shown, tone(chosen[column], cell))
                if column < cells.count - 1 {
                    text += String(repeating: " ", count: widths[column] - shown.count + 2)
                }
            }
            return painter.isOn ? text : text.trimmingTrailingSpaces
        }
        return [line(titles) { _, _ in .strong }] + cells.map { row in line(row) { columns[$0].tone($1) } }
    }

    private func shrink(_ widths: inout [Int], _ chosen: [Int], to room: Int) {
        let soft = chosen.indices.filter { !columns[chosen[$0]].isFirm }
        while widths.reduce(0, +) > room {
            guard let widest = soft.max(by: { widths[$0] < widths[$1] }), widths[widest] > Self.narrowest else {
                return
            }
            widths[widest] -= 1
        }
    }

    static func cut(_ text: String, to width: Int) -> String {
        text.count > width ? text.prefix(max(0, width - 1)) + "…" : text
    }
}

extension String {
    var trimmingTrailingSpaces: String {
        var text = self
        while text.hasSuffix(" ") { text.removeLast() }
        return text
    }
}
