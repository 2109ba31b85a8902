import Testing

@testable import NetworkAddresses

@Suite struct ConnectionCountTests {
    @Test("a neighbour with many connections leaves some to others")
    func connections() {
        let count = ConnectionCount(maximum: 5, perAddress: 3)
        #expect((0..<4).map { _ in count.admit("a") } == [true, true, true, false])
        #expect((0..<3).map { _ in count.admit("b") } == [true, true, false])
        count.release("a")
        let (again, other) = (count.admit("a"), count.admit("b"))
        #expect(again && !other)
    }
}
