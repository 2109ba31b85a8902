import BMCSimulator
import IPMI
import Synchronization
import Testing

@testable import AgentCore

/// The agent's own user, made in the simulated BMC by the commands that it would get over KCS.
@Suite struct InBandUserSetupTests {
    @Test("pauses have parts of a second, and an end")
    func pauses() {
        let pairs: [(Duration, UInt32)] = [
            (.zero, 200_000), (.milliseconds(500), 700_000), (.seconds(3), 3_200_000), (.seconds(9_000), 60_200_000),
            (.seconds(-1), 200_000),
        ]
        for (time, microseconds) in pairs { #expect(InBandUserSetup.microseconds(time) == microseconds) }
    }

    final class Inside: InBandBMC {
        let bmc = Mutex(SimulatedBMC(username: "factory", password: "factory-password"))
        /// So many commands are answered with C0h first, or not at all.
        let busy = Mutex(0)
        let silent: Bool

        init(silent: Bool = false) { self.silent = silent }

        func send(_ request: Request) -> InBandAnswer? {
            if silent { return nil }
            let isBusy = busy.withLock { left in
                left -= 1
                return left >= 0
            }
            if isBusy { return InBandAnswer(.nodeBusy, []) }
            return bmc.withLock { bmc in
                let (code, data) = bmc.perform(
                    function: request.function.rawValue, command: request.command, data: request.data)
                return InBandAnswer(CompletionCode(rawValue: code), data)
            }
        }
    }

    @Test("a user of our own beside the factory's, by a password that the maker's BMC takes")
    func setUp() throws {
        let inside = Inside()
        let credentials = InBandUserSetup(bmc: inside) { _ in }
        let password = BMCPasswordPolicy.common.password()
        let outcome = try credentials.setUp(user: "slipway", password: password)
        #expect(outcome.user == 3 && outcome.channel == 1 && outcome.passwordSize == .sixteen)
        #expect(!outcome.wasThere && outcome.remarks.isEmpty)
        let users = inside.bmc.withLock { $0.users }
        #expect(users[2] == SimulatedUser("slipway", password))
        #expect(users[1] == SimulatedUser("factory", "factory-password") && users[0] == SimulatedUser())
        // Once more: the same slot, another password.
        inside.busy.withLock { $0 = 3 }
        let again = try credentials.setUp(user: "slipway", password: "of-seventeen-bytes")
        #expect(again.user == 3 && again.wasThere && again.passwordSize == .twenty)
        #expect(inside.bmc.withLock { $0.users[2] } == SimulatedUser("slipway", "of-seventeen-bytes"))
    }

    @Test("a BMC that is full, one that is busy for ever, and none")
    func failures() {
        let full = Inside()
        full.bmc.withLock { bmc in
            for index in 2..<10 { bmc.users[index] = SimulatedUser("user\(index)", "x") }
        }
        let before = full.bmc.withLock { $0.users }
        #expect(throws: ConversationError.self) {
            try InBandUserSetup(bmc: full) { _ in }.setUp(user: "slipway", password: "secret-99")
        }
        #expect(full.bmc.withLock { $0.users } == before)
        let busy = Inside()
        busy.busy.withLock { $0 = 1000 }
        #expect(throws: ConversationError.self) {
            try InBandUserSetup(bmc: busy) { _ in }.setUp(user: "slipway", password: "secret-99")
        }
        let none = InBandUserSetup(bmc: Inside(silent: true)) { _ in }
        #expect(throws: ConversationError.self) { try none.setUp(user: "slipway", password: "secret-99") }
    }
}
