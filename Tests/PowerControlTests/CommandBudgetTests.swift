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
        let waits = wanted.map { _ in budget.take(isSlow: isSlow, now: now) }
        #expect(waits == wanted.map { .seconds($0) })
        #expect(!budget.isFull(now: now))
        #expect(budget.isFull(now: now + .seconds(60)))
    }

    @Test("a BMC that turns out to be slow is given time from then on, and one that is not is not")
    func learned() {
        let now = ContinuousClock.now
        var budget = CommandBudget(isSlow: false, now: now)
        let waits = [false, true, true, true].map { budget.take(isSlow: $0, now: now) }
        #expect(waits == [.zero, .zero, .seconds(5), .seconds(10)])
        #expect(budget.take(isSlow: false, now: now + .seconds(60)) == .zero)
        #expect(budget.take(isSlow: false, now: now + .seconds(60)) == .zero)
    }

    @Test("one at a time for each address, in the order of asking; a waiter that is cancelled leaves")
    func turns() async throws {
        let pacer = Pacer()
        let order = Order()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<5 {
                group.addTask {
                    try await pacer.pace("10.0.0.1", isSlow: false, isUrgent: false) {
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

    @Test("so many wait and no more; what is urgent goes ahead of them")
    func urgent() async throws {
        let turns = Turns()
        let order = Order()
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await turns.take("a", isUrgent: false) {
                    await order.enter(-1)
                    for await _ in gate {}
                    await order.leave()
                }
            }
            while await order.count == 0 { await Task.yield() }
            for number in 0..<Turns.mostWaiting {
                group.addTask {
                    try await turns.take("a", isUrgent: false) {
                        await order.enter(number)
                        await order.leave()
                    }
                }
            }
            while turns.waiting("a") < Turns.mostWaiting { await Task.yield() }
            await #expect(throws: Turns.Full.self) { try await turns.take("a", isUrgent: false) {} }
            group.addTask {
                try await turns.take("a", isUrgent: true) {
                    await order.enter(100)
                    await order.leave()
                }
            }
            while turns.waiting("a") == Turns.mostWaiting { await Task.yield() }
            open.finish()
            try await group.waitForAll()
        }
        #expect(await order.entered.prefix(2) == [-1, 100])
        #expect(await order.entered.count == Turns.mostWaiting + 2)
    }

    private actor Order {
        var entered: [Int] = []
        var (inside, most, count) = (0, 0, 0)
        func enter(_ number: Int) {
            entered.append(number)
            inside += 1
            count += 1
            most = max(most, inside)
        }
        func leave() { inside -= 1 }
    }
}
