import Synchronization
import TestSupport
import Testing

@testable import Controllers

@Suite struct GroupCommitTests {
    final class Written: Sendable {
        let all = Mutex<[[Int]]>([])
        let callers = Mutex(0)

        func call() { callers.withLock { $0 += 1 } }
        /// The first write ends when everybody is there.
        func wait(for count: Int) async {
            _ = await eventually(every: .milliseconds(1)) { callers.withLock { $0 } == count }
        }
    }

    @Test("what comes during a write is in the next one, all of it, once; and each caller returns after its own")
    func batches() async throws {
        let written = Written()
        let commits = GroupCommit<Int> { items in
            await written.wait(for: 500)
            written.all.withLock { $0.append(items) }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for item in 0..<500 {
                group.addTask {
                    written.call()
                    try await commits.commit(item)
                    #expect(written.all.withLock { $0.joined().contains(item) })
                }
            }
            try await group.waitForAll()
        }
        let all = written.all.withLock { $0 }
        #expect(all.joined().sorted() == Array(0..<500) && all.count < 100, "\(all.count) writes")
    }

    @Test("a write that fails is told to all of its callers, and the next ones are written")
    func failure() async throws {
        struct Full: Error {}
        let written = Written()
        let commits = GroupCommit<Int> { items in
            await written.wait(for: 20)
            if items.contains(7) { throw Full() }
        }
        let failed = await withTaskGroup(of: Bool.self) { group in
            for item in 0..<20 {
                group.addTask {
                    written.call()
                    return (try? await commits.commit(item)) == nil
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(failed >= 1)
        try await commits.commit(8)
    }
}
