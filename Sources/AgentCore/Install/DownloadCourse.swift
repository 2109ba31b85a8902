/// Which server a download asks next, and when. Pure.
struct DownloadCourse: Equatable {
    /// Indices of the servers that are left, the next one first.
    private var sources: [Int]
    /// Tries since the last byte came.
    private var failures = 0
    /// When the last byte came, or the download began; seconds.
    private var movedAt: Double

    /// Seconds without a byte from anybody after which it ends: a daemon is updated, and a switch restarts, in less.
    static let patience: Double = 600
    /// Seconds between two rounds at most.
    static let longestPause: Double = 10

    enum Step: Equatable {
        /// - Parameter after: seconds.
        case ask(source: Int, after: Double)
        case end
    }

    enum Trouble {
        /// It was cut off behind bytes that were new.
        case cut
        /// Nothing came.
        case nothing
        /// The server does not have the file that is wanted.
        case otherFile
    }

    /// - Parameter sources: how many there are; the first is the one that is wanted.
    init(sources: Int, now: Double) {
        self.sources = Array(0..<sources)
        movedAt = now
    }

    /// - Parameter luck: 0 to 1; a thousand machines that lost the same daemon do not come back at once.
    mutating func next(after trouble: Trouble, now: Double, luck: Double) -> Step {
        switch trouble {
        case .cut: (failures, movedAt) = (0, now)
        case .nothing:
            failures += 1
            if let silent = sources.first { sources = sources.dropFirst() + [silent] }
        case .otherFile:
            failures += 1
            sources = Array(sources.dropFirst())
        }
        guard let source = sources.first, now - movedAt < Self.patience else { return .end }
        // All others are asked before anybody is asked again.
        let rounds = failures / sources.count
        let pause = failures % sources.count == 0 ? min(Self.longestPause, 0.25 * Double(1 << min(rounds, 6))) : 0
        return .ask(source: source, after: pause * (0.8 + 0.4 * luck))
    }
}
