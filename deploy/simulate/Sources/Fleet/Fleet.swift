import AgentCore
import FoundationEssentials
import Glibc
import NIOPosix
import NetworkAddresses

/// `Fleet FIRST COUNT SEED DAEMON RELAY FIRST-BMC PORT [--fair|--lying]`: plays machines FIRST to FIRST + COUNT - 1 until it is ended. Reads `on FIRST COUNT`
/// from standard input, one line each: somebody presses the power buttons of these machines. `--fair`: no dice; `--lying`: worse
/// BMCs.
@main enum Fleet {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard arguments.count >= 7, let first = Int(arguments[0]), let count = Int(arguments[1]),
            let seed = UInt64(arguments[2]), let daemon = NetworkAddresses.IPv4Address(arguments[3]),
            let relayAddress = NetworkAddresses.IPv4Address(arguments[4]),
            let firstBMC = NetworkAddresses.IPv4Address(arguments[5]), let port = Int(arguments[6])
        else {
            Console.say("usage: Fleet FIRST COUNT SEED DAEMON RELAY FIRST-BMC PORT [--fair|--lying]")
            exit(64)
        }
        raiseFileLimit()
        let odds = arguments.contains("--fair") ? Odds.none : arguments.contains("--lying") ? .lying : Odds()
        let relay = try Relay(address: relayAddress, server: daemon)
        let wire = try LossyWire(daemon: daemon, daemonPort: 8443, port: port)
        try await relay.open()
        try await wire.open()
        let surroundings = Surroundings(relay: relay, wire: wire, wirePort: port, firstBMC: firstBMC)
        let machines = (first..<first + count).map {
            FleetMachine(number: $0, seed: seed, odds: odds, pace: Pace(), surroundings)
        }
        try await withThrowingDiscardingTaskGroup { group in
            for machine in machines { group.addTask { try await machine.run() } }
            for await (from, count) in buttons() {
                for machine in machines where (from..<from + count).contains(machine.number) { machine.chassis.on() }
            }
            // Whoever started it has gone.
            group.cancelAll()
            exit(0)
        }
    }

    /// What is read from standard input, until it ends.
    private static func buttons() -> AsyncStream<(Int, Int)> {
        let (stream, continuation) = AsyncStream.makeStream(of: (Int, Int).self)
        NIOThreadPool.singleton.submit { _ in
            while let line = readLine() {
                let words = line.split(separator: " ")
                guard words.count == 3, words[0] == "on", let from = Int(words[1]), let count = Int(words[2]) else {
                    continue
                }
                continuation.yield((from, count))
            }
            continuation.finish()
        }
        return stream
    }

    /// Four sockets for each machine.
    private static func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
