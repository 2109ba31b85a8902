import IPMI
import Machines
import NIOCore

extension IPMIController {
    public func withConsole(
        of bmc: BMCAccess, takingOver: Bool, _ body: @Sendable (any SerialConsole) async throws -> Void
    ) async throws {
        try await session(bmc) { session in
            let activation = try await activate(takingOver: takingOver, &session)
            session.mayReopen = false
            let console = IPMIConsole(address: bmc.address, wake: session.line.waker)
            do {
                try await withoutActuallyEscaping(body) {
                    (body: @escaping @Sendable (any SerialConsole) async throws -> Void) in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask {
                            defer { console.leave() }
                            try await body(console)
                        }
                        do {
                            var pump = ConsolePump(
                                times: times, mostBytes: activation.inboundSize - 4,
                                otherPort: [0, 623, session.port].contains(activation.port) ? nil : activation.port)
                            try await pump.run(console, &session)
                            console.end(nil)
                        } catch {
                            console.end(error)
                            group.cancelAll()
                            while await group.nextResult() != nil {}
                            throw error
                        }
                        try await group.waitForAll()
                    }
                }
            } catch {
                // Whoever has taken it over would lose it by our farewell: the command ends the console of anybody (§24.2).
                if !ConsolePump.isEnd(error) { await deactivate(&session) }
                throw error
            }
            await deactivate(&session)
        }
    }

    private func activate(takingOver: Bool, _ session: inout OpenSession) async throws -> ConsoleActivation {
        var (code, data) = try await session.ask(.activateConsole)
        if code == ConsoleActivation.isTaken, takingOver {
            _ = try await session.ask(.deactivateConsole)
            (code, data) = try await session.ask(.activateConsole)
        }
        guard code == .success else {
            let words = ConsoleActivation.refusal(code)
            throw BMCError(
                address: session.address, doing: Request.activateConsole.name,
                reason: code == .invalidCommand ? .unsupported : .refused,
                words.map { "\($0) (\(hex([code.rawValue]))h)" } ?? "\(code)")
        }
        guard let activation = ConsoleActivation(answer: data) else {
            throw session.fault(Request.activateConsole.name, .nonsense, "the answer is too short")
        }
        return activation
    }

    /// Also when this task is cancelled or the BMC is lost: then nobody waits for the answer.
    private func deactivate(_ session: inout OpenSession) async {
        if Task.isCancelled {
            session.sendBlindly(.deactivateConsole)
        } else {
            _ = try? await session.ask(.deactivateConsole)
        }
    }
}

/// Carries characters between the session and whoever has the console.
struct ConsolePump {
    let times: IPMITimes
    let mostBytes: Int
    /// UDP, when the BMC named one for its console that the session does not have.
    let otherPort: Int?
    /// When something that was typed was sent last.
    private var sent = ContinuousClock.now
    /// The console has said nothing yet.
    private var isSilent = true

    init(times: IPMITimes, mostBytes: Int, otherPort: Int?) {
        (self.times, self.mostBytes, self.otherPort) = (times, mostBytes, otherPort)
    }

    /// Keep-alives without any sign of the BMC until it counts as lost.
    private static let patience = 3
    private static let doing = "serial console"

    /// The BMC has ended the console, which is somebody else's now perhaps.
    static func isEnd(_ error: any Error) -> Bool {
        (error as? BMCError).map { $0.doing == doing && $0.reason == .refused } ?? false
    }

    /// Returns when whoever has the console is done with it.
    /// - Throws: ``BMCError`` when the BMC ends the console or is lost, `CancellationError`.
    mutating func run(_ console: IPMIConsole, _ session: inout OpenSession) async throws {
        var line = ConsoleLine(most: mostBytes)
        let clock = ContinuousClock()
        var (heard, asked, unheard) = (clock.now, clock.now, 0)
        while !console.isLeft {
            try Task.checkCancellation()
            for typing in console.typed() {
                let actions =
                    switch typing {
                    case .bytes(let bytes): line.type(bytes)
                    case .lineBreak: line.typeBreak()
                    }
                try await perform(actions, console, &session)
            }
            // By the clock, not by the timer alone: a machine that prints all the time starts that anew all the time.
            if line.isWaiting, clock.now >= sent + times.acknowledgement {
                try await perform(line.waited(), console, &session)
            }
            if clock.now >= max(heard, asked) + times.keepAlive {
                guard unheard < Self.patience else { throw lost(session) }
                (asked, unheard) = (clock.now, unheard + 1)
                // Harmless, and keeps the session from timing out.
                try await session.sendOnly(.deviceID)
            }
            let alive = max(heard, asked) + times.keepAlive
            let due = line.isWaiting ? min(alive, sent + times.acknowledgement) : alive
            let timer = session.line.timer(max(.zero, due - clock.now))
            defer { timer.cancel() }
            switch await session.line.next() {
            case nil: throw CancellationError()
            case .woken?, .waited?: continue
            case .datagram(let bytes)?:
                guard let content = session.content(bytes) else { continue }
                (heard, unheard) = (clock.now, 0)
                if case .console(let packet) = content {
                    isSilent = false
                    try await perform(line.receive(packet, room: console.hasRoom), console, &session)
                }
            }
        }
    }

    private mutating func perform(
        _ actions: [ConsoleLine.Action], _ console: IPMIConsole, _ session: inout OpenSession
    ) async throws {
        for action in actions {
            switch action {
            case .send(let packet):
                if packet.sequence != 0 { sent = .now }
                try await session.sendConsole(packet)
            case .deliver(let bytes): console.prints(bytes)
            case .taken(let count): console.taken(count)
            case .overrun: console.prints(Array("\r\n[the BMC lost characters]\r\n".utf8))
            case .ended:
                throw BMCError(
                    address: session.address, doing: Self.doing, reason: .refused,
                    "the BMC ended it: somebody else took it over, or the BMC restarts")
            case .lost: throw lost(session)
            }
        }
    }

    private func lost(_ session: OpenSession) -> BMCError {
        let other = isSilent ? otherPort : nil
        return BMCError(
            address: session.address, doing: Self.doing, reason: .silent,
            "the BMC answers no more: its session is lost, or the network"
                + (other.map { "; it wants its console on UDP \($0), which is not used: set it to \(session.port)" }
                    ?? ""))
    }
}
