/// Writes what many callers bring at once in one transaction: whoever comes while one is under way waits for the next, which takes all that wait.
/// Every caller returns when its own is durable.
actor GroupCommit<Item: Sendable> {
    private enum Turn {
        case written
        /// This caller writes its own and that of all who wait.
        case write
    }

    private let write: @Sendable ([Item]) async throws -> Void
    private var isWriting = false
    private var waiting: [(item: Item, turn: CheckedContinuation<Turn, any Error>)] = []

    init(_ write: @escaping @Sendable ([Item]) async throws -> Void) { self.write = write }

    func commit(_ item: Item) async throws {
        if isWriting {
            let turn = try await withCheckedThrowingContinuation { waiting.append((item, $0)) }
            guard turn == .write else { return }
        }
        isWriting = true
        // Who was woken to write is not in the list any more.
        let others = waiting
        waiting = []
        var result = Result<Turn, any Error>.success(.written)
        do { try await write([item] + others.map(\.item)) } catch { result = .failure(error) }
        for other in others { other.turn.resume(with: result) }
        if waiting.isEmpty {
            isWriting = false
        } else {
            waiting.removeFirst().turn.resume(returning: .write)
        }
        _ = try result.get()
    }
}
