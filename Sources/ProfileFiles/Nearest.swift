/// The word that somebody meant.
enum Nearest {
    /// The one that needs the fewest changed letters, when at least half of what was written is right.
    static func word(to word: String, among words: [String]) -> String? {
        // A stranger's text may be long, and its distance to anything then takes long to find.
        guard word.utf8.count <= 64 else { return nil }
        guard let best = words.min(by: { distance($0, word) < distance($1, word) }) else { return nil }
        return distance(best, word) <= min(3, word.count / 2) ? best : nil
    }

    /// Levenshtein distance.
    private static func distance(_ left: String, _ right: String) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var previous = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                (previous, row[j + 1]) = (row[j + 1], min(row[j] + 1, row[j + 1] + 1, previous + (a == b ? 0 : 1)))
            }
        }
        return row[right.count]
    }
}

/// A place in a file, counted from 1.
struct FilePlace: Equatable, Sendable {
    var line: Int?
    var column: Int?
}
