import Synchronization

/// A machine's dice. The same seed and machine throw the same numbers in the same order (SplitMix64).
final class Luck: Sendable {
    private let state: Mutex<UInt64>

    init(seed: UInt64, machine: Int) { state = Mutex(seed &* 0x9e37_79b9_7f4a_7c15 ^ UInt64(machine) &* 0xbf58_476d) }

    func next() -> UInt64 {
        state.withLock { state in
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
            return mixed ^ mixed >> 31
        }
    }

    /// 0 to 1, without 1.
    func fraction() -> Double { Double(next() >> 11) / Double(UInt64(1) << 53) }

    func falls(_ chance: Double) -> Bool { fraction() < chance }

    func seconds(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound + fraction() * (range.upperBound - range.lowerBound)
    }
}

/// How often what happens to a fleet that is not well. 0 to 1 each.
struct Odds: Sendable {
    /// Of each datagram of DHCP and TFTP.
    var lostPacket = 0.02
    /// Of each datagram of IPMI.
    var lostBMCPacket = 0.0
    /// BMCs also take power commands and do nothing, or lose a third of what they hear and say: whoever believes them waits for a boot that does
    /// not come.
    var lies = false
    /// Of each connection of an agent or node: the daemon hears the call, and its answer does not arrive.
    var lostAnswer = 0.01
    /// Of each order: the machine restarts in the middle of it.
    var restart = 0.05
    /// Of each machine: its disk takes four times as long.
    var slowDisk = 0.05
    /// Of each order: the disk fails, and the order with it.
    var brokenDisk = 0.01
    /// Of each machine: its BMC lies or is late, in one of the ways of ``FleetBMC``.
    var badBMC = 0.1

    static let none = Odds(lostPacket: 0, lostAnswer: 0, restart: 0, slowDisk: 0, brokenDisk: 0, badBMC: 0)
    static let lying = Odds(lostBMCPacket: 0.02, lies: true)
}
