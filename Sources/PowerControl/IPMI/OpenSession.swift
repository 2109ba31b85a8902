import IPMI
import Machines
import NIOCore

/// Commands inside one session, one at a time.
struct OpenSession {
    let address: String
    var session: Session
    var line: BMCConnection.Line

    /// Sends a command and returns the answer's data. Late and repeated answers of other commands are passed over.
    /// - Throws: ``BMCError``.
    mutating func send(_ request: Request) async throws -> [UInt8] {
        var numbers: Set<UInt8> = []
        // Cycle and reset go out once: without an answer nobody knows whether they were done.
        let waits = request.isRepeatable ? BMCConnection.waits : [BMCConnection.waits.reduce(.zero, +)]
        for wait in waits {
            let iv = (0..<16).map { _ in UInt8.random(in: 0...255) }
            let (datagram, number) = try session.seal(request, iv: iv)
            numbers.insert(number)
            try await line.write(datagram)
            let timer = line.timer(wait)
            defer { timer.cancel() }
            while let received = await line.datagrams.next() {
                guard let bytes = received else { break }
                guard let response = session.open(bytes), numbers.contains(response.sequence),
                    response.command == request.command, response.function == request.function.rawValue | 1
                else { continue }
                if response.code.isTransient, request.isRepeatable { break }
                guard response.code == .success else {
                    throw BMCError(address: address, doing: request.name, reason: .refused, "\(response.code)")
                }
                return response.data
            }
        }
        guard request.isRepeatable else {
            throw BMCError(
                address: address, doing: request.name, reason: .outcomeUnknown,
                "sent once, and no answer came; look at the power before sending it again")
        }
        throw BMCError.silent(address, request.name)
    }

    /// Ends the session. No answer is waited for: a BMC frees a silent session by itself within a minute.
    mutating func close() async {
        guard
            let (datagram, _) = try? session.seal(
                .closeSession(session.bmcSessionID), iv: (0..<16).map { _ in UInt8.random(in: 0...255) })
        else { return }
        try? await line.write(datagram)
    }
}
