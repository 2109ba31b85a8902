/// Waits of IPMI over UDP.
struct IPMITimes: Sendable {
    /// For each answer, growing: BMCs are slow and busy.
    var waits: [Duration] = [.milliseconds(700), .milliseconds(1500), .seconds(3), .seconds(5)]
    /// Between looks at the chassis, the last one over and over: some BMCs freeze under polling.
    var looks: [Duration] = [.milliseconds(500), .milliseconds(500), .seconds(1), .seconds(2)]
    /// How long boot flags are watched for a BMC that takes them back.
    var revert: Duration = .milliseconds(500)
    /// For the console's acknowledgement. BMCs take their time when the serial port is busy.
    var acknowledgement: Duration = .milliseconds(500)
    /// A session without traffic ends after 60 seconds (§6.12.15).
    var keepAlive: Duration = .seconds(20)
    /// Between looks at a log that is being erased.
    var erase: Duration = .milliseconds(500)

    /// After a change of the LAN, until what the BMC says is believed.
    var lanChange: Duration = .seconds(15)

    func look(_ number: Int) -> Duration { looks[min(number, looks.count - 1)] }
}
