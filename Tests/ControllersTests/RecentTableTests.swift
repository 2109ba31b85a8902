import Testing

@testable import Controllers

@Suite struct RecentTableTests {
    @Test("what is used stays, what is not goes, and there is never more than two generations")
    func bounded() {
        var table = RecentTable<Int, Int>(generation: 100)
        for key in 0..<10_000 {
            table.put(key, for: key)
            if key % 50 == 0 { table.put(-1, for: -1) }
            #expect(table.count <= 200 && table[key] == key && table[-1] == -1)
        }
        #expect(table[9] == nil && table[9_950] == 9_950)
        #expect(Set(table.values).count == table.count)
    }
}
