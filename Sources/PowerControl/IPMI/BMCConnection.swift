import IPMI
import Machines
import NIOCore
import NIOPosix

/// One RMCP+ session over UDP, for the time of a few commands.
struct BMCConnection: Sendable {
    let address: String
    let port: Int
    let suites: [CipherSuite]
    let credentials: Handshake.Credentials
    let times: IPMITimes
    private static let disturbedAttempts = 3

    /// Opens a session, runs `body` in it, and closes it whatever comes.
    /// - Throws: ``BMCError``.
    func session<Result: Sendable>(_ body: (inout OpenSession) async throws -> Result) async throws -> Result {
        try await IPMILine.open(address: address, port: port) { line in
            let session = try await establish(&line)
            var open = OpenSession(connection: self, session: session, line: line)
            do {
                try await open.becomeAdministrator()
                let result = try await body(&open)
                open.close()
                return result
            } catch {
                open.close()
                throw error
            }
        }
    }

    private enum Attempt {
        case opened(Session)
        case failed(HandshakeError)
        /// No answer; nil: not even to the first message.
        case silent(afterMessages: Int)
    }

    /// Tries the cipher suites in order. The next one has its turn when the BMC does not have this one, and also when it offers it and then
    /// computes something else or says nothing: a wrong password is believed when the last suite says so, too.
    func establish(_ line: inout IPMILine) async throws -> Session {
        var errors: [BMCError] = []
        for suite in suites {
            let isLast = suite == suites.last
            switch try await attempt(suite, &line) {
            case .opened(let session): return session
            case .failed(let error):
                errors.append(BMCError(address: address, doing: "log in", error))
                if isLast || !error.mayBeOfSuite { break }
                continue
            case .silent(let messages):
                if messages == 0, errors.isEmpty, try await !isThere(&line) {
                    throw BMCError.silent(address, "open a session")
                }
                errors.append(.silentInside(address, user: credentials.username, messages: messages))
                continue
            }
            break
        }
        // What is wrong with the user or the password says more than what is wrong with a suite.
        throw errors.first { $0.reason == .credentials } ?? errors.last
            ?? BMCError.silent(address, "open a session")
    }

    /// A BMC with one log-in for each client takes a first message that came twice for two of them, and computes by the second one's number from then on
    /// (pyghmi's server): what it says of the password then is asked again.
    private func attempt(_ suite: CipherSuite, _ line: inout IPMILine) async throws -> Attempt {
        for _ in 1..<Self.disturbedAttempts {
            let repeats = line.repeats
            let attempt = try await attemptOnce(suite, &line)
            guard case .failed(.wrongPassword) = attempt, line.repeats > repeats else { return attempt }
        }
        return try await attemptOnce(suite, &line)
    }

    private func attemptOnce(_ suite: CipherSuite, _ line: inout IPMILine) async throws -> Attempt {
        var handshake = Handshake(
            suite: suite, credentials: credentials, consoleID: UInt32.random(in: 1 ... .max),
            consoleRandom: (0..<16).map { _ in UInt8.random(in: 0...255) })
        var message = handshake.start()
        var messages = 0
        while true {
            let step = try await line.exchange(message, waits: times.waits) { datagram -> Handshake.Step? in
                let step = handshake.receive(datagram)
                if case .ignored = step { return nil }
                return step
            }
            switch step {
            case nil: return .silent(afterMessages: messages)
            case .send(let next)?: (message, messages) = (next, messages + 1)
            case .established(let session)?: return .opened(session)
            case .failed(let error)?: return .failed(error)
            case .ignored?: continue
            }
        }
    }

    /// Whether anything there speaks IPMI: it may be that it passes over what it does not know.
    private func isThere(_ line: inout IPMILine) async throws -> Bool {
        let request = Request.authenticationCapabilities
        let answer = try await line.exchange(Probing.datagram(request), waits: Array(times.waits.prefix(2))) {
            Probing.response($0, to: request)
        }
        return answer != nil
    }
}

extension HandshakeError {
    /// Another cipher suite may do.
    fileprivate var mayBeOfSuite: Bool {
        switch self {
        case .wrongPassword, .otherAlgorithms: true
        // 0Fh is what a BMC says that computes something else with this suite.
        case .refused(let status, _): status.refusesCipherSuite || status.rawValue == 0x0f
        }
    }
}
