import FoundationEssentials
import Machines
import Testing

@Suite struct CredentialTests {
    @Test("ids of events sort as they were made, within a millisecond too")
    func timeOrdered() {
        let start = Date(timeIntervalSince1970: 1_800_000_000)
        let ids = (0..<3000).map { Credential.timeOrdered(at: start.addingTimeInterval(Double($0 / 1000) / 1000)) }
        #expect(ids == ids.sorted())
        #expect(Set(ids).count == ids.count)
    }
}
