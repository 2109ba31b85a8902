import Machines
import NIOHTTP1
import Redfish

extension RedfishSession {
    /// A connection whose certificate is believed.
    func connected(isCancellable: Bool = true) async throws -> HTTPSConnection {
        if let connection, connection.isOpen { return connection }
        let connection = try await believed(isCancellable: isCancellable)
        self.connection = connection
        return connection
    }

    private func believed(isCancellable: Bool) async throws -> HTTPSConnection {
        let connection: HTTPSConnection
        do {
            connection = try await HTTPSConnection.open(
                address: bmc.address, port: bmc.port, limits: limits, isCancellable: isCancellable)
        } catch let why as HTTPSError {
            isAbsent = true
            throw Lost(why: why, wasSent: false)
        }
        let shown = CertificateJudge.Shown(connection.chain)
        self.shown = shown
        if let reason = await judge.refusal(shown, trust: bmc.trust, address: bmc.address) {
            connection.close()
            throw error(.certificate, reason)
        }
        return connection
    }

    /// Opens a stream of server-sent events, on a connection of its own.
    func stream(_ path: ResourcePath) async throws -> (Answer, AsyncThrowingStream<[UInt8], any Error>) {
        try await logIn()
        let (stream, continuation) = AsyncThrowingStream.makeStream(
            of: [UInt8].self, bufferingPolicy: .bufferingOldest(4096))
        var headers = headers(body: nil, ifMatch: nil, isOpen: false)
        headers.replaceOrAdd(name: "Accept", value: "text/event-stream")
        do {
            let connection = try await believed(isCancellable: true)
            streaming = connection
            let raw = try await connection.exchange(
                HTTPSRequest(method: .GET, path: path.rawValue, headers: headers), stream: continuation)
            return (Answer(status: raw.status, json: .null, headers: raw.headers), stream)
        } catch let lost as Lost {
            throw failure(lost, .GET, true)
        } catch let why as HTTPSError {
            throw failure(Lost(why: why, wasSent: true), .GET, true)
        }
    }
}
