import Logging
import Machines
import Redfish
import SwiftASN1
import X509

/// Controls machines by Redfish (DSP0266) over TLS. Every write is read back; nothing is sent without TLS, and nothing before the certificate is believed.
///
/// Whoever calls it gives it one command at a time for each BMC. A command logs in, does its work and logs out.
public struct RedfishController: BMCController {
    let logger: Logger
    let limits: RedfishLimits
    let judge: CertificateJudge

    /// Without authorities: pins only.
    public init(limits: RedfishLimits = RedfishLimits(), logger: Logger) {
        (self.logger, self.limits) = (logger, limits)
        judge = CertificateJudge(authorities: [])
    }

    /// - Parameter authorities: PEM of the certificates of those who sign BMCs' certificates; for ``BMCTrust/authorities``.
    /// - Throws: when `authorities` is no PEM of certificates.
    public init(authorities: String, limits: RedfishLimits = RedfishLimits(), logger: Logger) throws {
        (self.logger, self.limits) = (logger, limits)
        judge = CertificateJudge(authorities: try Self.certificates(pem: authorities))
    }

    static func certificates(pem: String) throws -> [Certificate] {
        let end = "-----END CERTIFICATE-----"
        return try pem.split(separator: end).filter { $0.contains("-----BEGIN CERTIFICATE-----") }.map { part in
            // What stands before a certificate in a bundle is a remark.
            let text = part.drop { $0 != "-" }
            return try Certificate(pemEncoded: String(text) + end)
        }
    }

    public func power(of bmc: BMCAccess) async throws -> PowerState {
        try await run(bmc, "read the power") { session in try await session.system().power.state }
    }

    /// One command from login to logout.
    func run<Result>(
        _ bmc: BMCAccess, _ doing: String, _ body: (RedfishSession) async throws -> Result
    ) async throws -> Result {
        let session = RedfishSession(bmc, doing: doing, limits: limits, judge: judge)
        do {
            let result = try await body(session)
            await session.close()
            return result
        } catch {
            await session.close()
            throw error
        }
    }
}

extension ChassisPower? {
    /// A chassis on its way to another state has not got there.
    var state: PowerState {
        switch self {
        case .on, .paused: .on
        case .off: .off
        default: .unknown
        }
    }
}
