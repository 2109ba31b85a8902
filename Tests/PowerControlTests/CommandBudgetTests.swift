import Testing

@testable import PowerControl

/// How many commands a BMC is given.
@Suite struct CommandBudgetTests {
    @Test(
        "ten at once, then one a second; a slow one: one, then one every five seconds",
        arguments: [
            (false, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]), (true, [0, 5, 10]),
        ])
    func waits(isSlow: Bool, wanted: [Int]) {
        let now = ContinuousClock.now
        var budget = CommandBudget(isSlow: isSlow, now: now)
        let waits = wanted.map { _ in budget.take(now: now) }
        #expect(waits == wanted.map { .seconds($0) })
        #expect(!budget.isFull(now: now))
        #expect(budget.isFull(now: now + .seconds(60)))
    }

    @Test("one at a time for each address, in the order of asking; a waiter that is cancelled leaves")
    func turns() async throws {
        let pacer = Pacer()
        let order = Order()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<5 {
                group.addTask {
                    try await pacer.pace("10.0.0.1", isSlow: false) {
                        await order.enter(number)
                        try await Task.sleep(for: .milliseconds(5))
                        await order.leave()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(await order.most == 1)
        #expect(await order.count == 5)
    }

    private actor Order {
        var (inside, most, count) = (0, 0, 0)
        func enter(_ number: Int) {
            inside += 1
            count += 1
            most = max(most, inside)
        }
        func leave() { inside -= 1 }
    }
}
