import APIClient
import APIModel
import Synchronization

/// A watch that begins anew when it is cut off.
enum FollowEvent<Item: Sendable>: Sendable {
    /// From here on everything is sent once more.
    case began
    case put(Item)
    /// All that there is was sent.
    case listed
    case delete(String)
    /// The daemon does not answer, in words; it is asked again.
    case lost(String)
}

extension APIClient {
    /// Follows a collection until `each` returns false, over restarts of the daemon and cut connections.
    func follow<Item: Decodable & Sendable>(
        _ path: String, as _: Item.Type, each: @escaping @Sendable (FollowEvent<Item>) async throws -> Bool
    ) async throws {
        while true {
            try Task.checkCancellation()
            do {
                let isWanted = try await once(path, as: Item.self, each)
                guard isWanted else { return }
            } catch let error as ClientError {
                try Task.checkCancellation()
                guard try await each(.lost(error.description)) else { return }
            } catch let problem as ProblemView where problem.status >= 500 {
                guard try await each(.lost(problem.detail)) else { return }
            }
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// - Returns: whether more is wanted.
    private func once<Item: Decodable & Sendable>(
        _ path: String, as _: Item.Type, _ each: @escaping @Sendable (FollowEvent<Item>) async throws -> Bool
    ) async throws -> Bool {
        let beginning = Beginning()
        let answered = try await watch(path, as: Item.self) { event in
            if beginning.isFirst(), try await !each(.began) { return false }
            return switch event {
            case .put(let item): try await each(.put(item))
            case .listed: try await each(.listed)
            case .delete(let id): try await each(.delete(id))
            }
        }
        return answered != .left
    }
}

private final class Beginning: Sendable {
    private let began = Mutex(false)

    func isFirst() -> Bool {
        began.withLock { began in
            defer { began = true }
            return !began
        }
    }
}
