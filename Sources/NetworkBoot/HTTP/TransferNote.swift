import Machines
import NIOCore
import NetworkAddresses

/// What the trace and the metrics are told of one file that leaves by HTTP.
struct TransferNote {
    private let director: any NetworkBootDirector
    private let mac: MACAddress?
    private let address: IPv4Address?
    private let path: String
    private let bytes: Int64
    private let startedAt = NIODeadline.now()

    init(director: any NetworkBootDirector, mac: MACAddress?, address: IPv4Address?, path: String, bytes: Int) {
        (self.director, self.mac, self.address) = (director, mac, address)
        (self.path, self.bytes) = (path, Int64(bytes))
    }

    func begun(signers: [String]?) {
        director.record(
            BootTraceEvent(mac: mac, address: address, step: .transferStarted(.http, file: path, signers: signers)))
    }

    func ended(_ result: Result<Void, any Error>) {
        let nanoseconds = (NIODeadline.now() - startedAt).nanoseconds
        let outcome: String
        switch result {
        case .success:
            outcome = "completed"
            BootMetrics.noteTransfer(.http, .completed, bytes: bytes, nanoseconds: nanoseconds)
        case .failure(let error):
            outcome = "broken off: \(error)"
            BootMetrics.noteTransfer(.http, .brokenOff, bytes: 0, nanoseconds: nanoseconds)
        }
        director.record(
            BootTraceEvent(
                mac: mac, address: address,
                step: .transferFinished(
                    .http, file: path, bytes: bytes, milliseconds: nanoseconds / 1_000_000, retransmissions: 0,
                    outcome: outcome)))
    }
}
