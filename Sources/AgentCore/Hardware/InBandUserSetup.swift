import Glibc
import IPMI

/// Runs conversations with the BMC inside the machine, where nobody asks for a password.
public struct InBandUserSetup: Sendable {
    private let bmc: any InBandBMC
    /// Between tries of a BMC that is busy.
    private let pause: @Sendable (Duration) -> Void
    private static let tries = 5

    public init(bmc: any InBandBMC = KernelInBandBMC()) {
        self.init(bmc: bmc) { _ = usleep(Self.microseconds($0)) }
    }

    /// A while longer than was asked for, and a minute at most.
    static func microseconds(_ time: Duration) -> UInt32 {
        let parts = max(.zero, min(time, .seconds(60))).components
        return UInt32(parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000 + 200_000)
    }

    init(bmc: any InBandBMC, pause: @escaping @Sendable (Duration) -> Void) { (self.bmc, self.pause) = (bmc, pause) }

    /// Makes a user of our own, an administrator on the first LAN channel. Other users are left as they are.
    /// - Throws: what was asked, and what the BMC said; never the password.
    public func setUp(user: String, password: String) throws(ConversationError) -> BMCUserSetup.Outcome {
        var setup = try BMCUserSetup(name: user, password: password)
        try run(&setup)
        guard let outcome = setup.outcome else { throw .impossible("the BMC's user was not set up") }
        return outcome
    }

    private func run(_ conversation: inout some Conversation) throws(ConversationError) {
        while true {
            switch conversation.next() {
            case .done: return
            case .pause(let time): pause(time)
            case .send(let request):
                let answer = try ask(request)
                try conversation.receive(answer.code, answer.data)
            }
        }
    }

    private func ask(_ request: Request) throws(ConversationError) -> InBandAnswer {
        var last: InBandAnswer?
        for _ in 0..<Self.tries {
            if let answer = bmc.send(request) {
                guard answer.code.isTransient else { return answer }
                last = answer
            }
            pause(.zero)
        }
        guard let last else { throw .impossible("\(request.name): the BMC does not answer inside the machine") }
        return last
    }
}
