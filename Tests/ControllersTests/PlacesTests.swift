import Synchronization
import TestSupport
import Testing

@testable import Controllers

@Suite struct PlacesTests {
    private final class Count: Sendable {
        private let state = Mutex((now: 0, most: 0, all: 0))
        func enter() {
            state.withLock {
                $0.now += 1
                $0.all += 1
                $0.most = max($0.most, $0.now)
            }
        }
        func leave() { state.withLock { $0.now -= 1 } }
        var seen: (now: Int, most: Int, all: Int) { state.withLock { $0 } }
    }

    @Test("no more at once than there are places, and everybody gets one")
    func bounded() async throws {
        let (places, count) = (Places(3), Count())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<2000 {
                group.addTask {
                    try await places.withPlace {
                        count.enter()
                        await Task.yield()
                        count.leave()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(count.seen == (0, 3, 2000))
    }

    @Test("those who give up make no difference to the others, whether they wait, have a place or come too late")
    func cancelled() async throws {
        let (places, count) = (Places(2), Count())
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<2000 {
                group.addTask {
                    let task = Task {
                        try await places.withPlace {
                            count.enter()
                            defer { count.leave() }
                            try Task.checkCancellation()
                            await Task.yield()
                        }
                    }
                    if index % 2 == 0 { task.cancel() }
                    return (try? await task.value) != nil
                }
            }
            var ended = 0
            for try await isDone in group where isDone { ended += 1 }
            #expect(ended >= 1000)
        }
        #expect(count.seen.now == 0 && count.seen.most <= 2)
        // All places are there again.
        try await places.withPlace { try await places.withPlace {} }
    }

    @Test("the place of one that fails is free again")
    func failing() async {
        struct Failure: Error {}
        let places = Places(1)
        for _ in 0..<3 {
            await #expect(throws: Failure.self) { () async throws in try await places.withPlace { throw Failure() } }
        }
    }
}
