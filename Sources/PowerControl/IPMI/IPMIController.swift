import IPMI
import Inventory
import Logging
import Machines

/// Controls machines by IPMI 2.0 over LAN. Every write is read back. It has one BMC for itself while it does a command.
public struct IPMIController: BMCController {
    let logger: Logger
    let times: IPMITimes

    public init(logger: Logger) { self.init(logger: logger, times: IPMITimes()) }

    init(logger: Logger, times: IPMITimes) { (self.logger, self.times) = (logger, times) }

    /// UDP.
    func port(of bmc: BMCAccess) -> Int { bmc.kind == .ipmi ? bmc.port : bmc.consolePort }

    func session<Result: Sendable>(
        _ bmc: BMCAccess, _ body: (inout OpenSession) async throws -> Result
    ) async throws -> Result {
        guard bmc.password.utf8.count <= 20, bmc.username.utf8.count <= 16 else {
            throw BMCError(
                address: bmc.address, doing: "log in", reason: .credentials,
                "IPMI has names of 16 bytes and passwords of 20 at most")
        }
        let connection = BMCConnection(
            address: bmc.address, port: port(of: bmc),
            suites: bmc.quirks.contains(.cipherSuite3) ? [.three] : [.seventeen, .three],
            credentials: .init(username: bmc.username, password: bmc.password), times: times)
        return try await connection.session(body)
    }
}
