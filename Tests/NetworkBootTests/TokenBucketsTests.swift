import FoundationEssentials
import NetworkAddresses
import Testing

@testable import NetworkBoot

@Suite struct TokenBucketsTests {
    static let start = Date(timeIntervalSince1970: 1_800_000_000)

    static func heard(_ buckets: inout TokenBuckets<MACAddress>, _ packets: Int, over seconds: Double, mac: UInt64 = 1)
        -> Int
    {
        (0..<packets).count { number in
            buckets.admit(
                MACAddress(rawValue: mac), now: start.addingTimeInterval(seconds * Double(number) / Double(packets)))
        }
    }

    @Test("a boot is heard whole, a loop is not, and one does not use up another's share")
    func share() {
        var buckets = TokenBuckets<MACAddress>()
        let boot = Self.heard(&buckets, 25, over: 30)
        let loop = Self.heard(&buckets, 100_000, over: 60, mac: 2)
        let other = Self.heard(&buckets, 25, over: 30, mac: 3)
        #expect(boot == 25 && (335...345).contains(loop) && other == 25)
    }

    @Test("no limit, and no memory for it")
    func unlimited() {
        var buckets = TokenBuckets<MACAddress>(rate: 0)
        let all = Self.heard(&buckets, 10_000, over: 1)
        #expect(all == 10_000)
    }

    @Test("a flood of made-up machines does not grow it, and a clock that goes back does no harm")
    func flood() {
        var buckets = TokenBuckets<MACAddress>()
        for mac in 0..<100_000 { _ = buckets.admit(MACAddress(rawValue: UInt64(mac)), now: Self.start) }
        let later = buckets.admit(MACAddress(rawValue: 7), now: Self.start.addingTimeInterval(-9999))
        #expect(later)
    }
}
