/// How the simulated BMC differs from a good one. Each is one that was seen, or that the specification allows.
public struct BMCQuirks: Sendable {
    // The network and the BMC's processor: percent of the datagrams, by a dice with a seed. UDP loses, repeats and reorders; answers of seconds are
    // why ipmitool has -N and -R.
    public var drops = 0
    public var duplicates = 0
    /// Late by ``lateness``, behind later ones.
    public var late = 0
    public var lateness = 0.4
    /// Percent of the commands answered with C0h (table 5-2: resources are temporarily unavailable).
    public var busy = 0

    // Sessions.
    /// Cipher suites that are offered and whose keys come out wrong (why ipmitool's documentation names -C 3 for some BMCs).
    public var brokenSuites: Set<UInt8> = []
    /// Passes over Open Session requests with these suites instead of refusing them.
    public var silentSuites: Set<UInt8> = []
    /// Answers with its own algorithms whatever was asked for (pyghmi's server: serversession.py).
    public var ownAlgorithms = false
    /// Says nothing to a user that it does not know (pyghmi's server).
    public var ignoresUnknownUsers = false
    /// So many log-ins whose first message has to be sent twice, and that go on by the number of the second answer while the first one arrives
    /// (pyghmi's server, which has one log-in for each client).
    public var crossedLogins = 0
    /// Forgets all sessions before the command of this number, from 1: a BMC that restarts.
    public var forgetsBefore: Int?
    /// Seconds after which a silent session ends (§6.12.15: 60 ± 3).
    public var sessionIdle = 60.0

    // Power.
    /// Accepts chassis control and does nothing, as some hanging BMCs do.
    public var ignoresControl = false
    /// Does chassis control and does not answer.
    public var losesControlAnswers = false
    /// Refuses chassis control as not possible in its state (D5h), for good.
    public var refusesControl = false
    /// Does chassis control, and says that it timed out inside (C3h, table 5-2).
    public var timesOutInControl = false
    /// So many looks at the chassis until they tell the new state (BMCs that poll the board).
    public var powerLag = 0
    /// Refuses power up while the chassis shuts down (D5h); else it takes it and does nothing.
    public var refusesDuringShutdown = false

    // Boot options.
    /// Seconds until flags are cleared that nobody asked to keep (§28.12, parameter 3: 60 ± 10 %).
    public var flagsLive = 60.0
    /// Seconds until flags are cleared although they were to be kept: the override reverts.
    public var revertsAfter: Double?
    /// Has only parameter 5 (parameters 3 and 0 are optional, table 28-14).
    public var onlyBootFlags = false
    /// So many times parameter 0 says that somebody else is at it.
    public var inProgress = 0

    // Storage.
    /// Most bytes of a sensor record or the inventory in one answer; more are refused with CAh (§33.12, note).
    public var pieceLimit = 255
    /// Looks at the erase status that say "in progress" (§31.9).
    public var eraseLooks = 0
    /// Says that the log is cleared, and keeps it.
    public var keepsLog = false
    /// So many times a reservation is lost in between (C5h: §31.4, §33.11).
    public var lostReservations = 0

    // The console.
    /// Takes so many characters of a packet (§15.9).
    public var consoleTakes = 255
    /// So many packets of what is typed are lost.
    public var consoleLoses = 0
    /// The machine prints all the time.
    public var chatters = false

    /// Stores passwords of 16 bytes only (ipmitool issue 347: longer ones are cut without a word).
    public var cutsPasswords = false

    public init() {}
}

/// A dice that falls the same way in every run (SplitMix64).
public struct Dice: Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    /// True in so many of a hundred throws.
    public mutating func falls(_ percent: Int) -> Bool {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return Int((mixed ^ mixed >> 31) % 100) < percent
    }
}
