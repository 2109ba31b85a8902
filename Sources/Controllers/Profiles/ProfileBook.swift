import Inventory
import Synchronization

/// The hardware profiles that count now: those of the daemon's files, and those that people applied. Everybody asks here each time, so that a profile
/// that changes is another one for all at once.
public final class ProfileBook: Sendable {
    private struct State {
        var matcher: ProfileMatcher
        /// The store's revision that the applied ones are of.
        var revision: Int64 = -1
        /// The revision that all machines were matched with.
        var matched: Int64?
    }

    private let files: [HardwareProfile]
    private let state: Mutex<State>

    /// - Parameter files: of the daemon's own; one of these is never replaced.
    public init(_ files: [HardwareProfile]) {
        self.files = files
        state = Mutex(State(matcher: ProfileMatcher(files)))
    }

    /// Takes what the store holds; what is older than what is known changes nothing.
    func apply(_ profiles: [HardwareProfile], revision: Int64) {
        let matcher = ProfileMatcher(files + profiles.filter { !isFile($0.name) })
        state.withLock { state in
            guard revision > state.revision else { return }
            (state.matcher, state.revision) = (matcher, revision)
        }
    }

    /// The store's revision that the applied ones are of.
    var revision: Int64 { state.withLock { $0.revision } }

    /// All machines were matched with what the store held then.
    func noteMatched(_ revision: Int64) { state.withLock { $0.matched = max($0.matched ?? revision, revision) } }

    /// All machines were matched with what counts now.
    var isMatched: Bool { state.withLock { $0.matched == $0.revision } }

    /// It is one of the daemon's own.
    public func isFile(_ name: String) -> Bool { files.contains { $0.name == name } }

    public var matcher: ProfileMatcher { state.withLock { $0.matcher } }
    public var profiles: [HardwareProfile] { matcher.profiles }
    public func profile(named name: String) -> HardwareProfile? { matcher.profile(named: name) }
    public func match(_ report: HardwareReport) -> ProfileMatcher.Outcome { matcher.match(report) }
    public func explain(_ report: HardwareReport) -> [ProfileExplanation] { matcher.explain(report) }
}
