/// A table of bounded size that forgets what was not used for longest, roughly: in two generations, so that a flood of new keys
/// costs each no more than a lookup.
struct RecentTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]
    /// Keys of one generation; at most twice as many are kept.
    private let generation: Int

    init(generation: Int) { self.generation = generation }

    subscript(key: Key) -> Value? { young[key] ?? old[key] }

    var count: Int { young.count + old.count }

    /// Puts or replaces, and makes the key the youngest.
    mutating func put(_ value: Value, for key: Key) {
        if young[key] == nil {
            old[key] = nil
            if young.count >= generation { (old, young) = (young, [:]) }
        }
        young[key] = value
    }

    var values: [Value] { Array(young.values) + Array(old.values) }
}
