import Foundation
import Logging
import PowerControl

/// Who signs BMCs' certificates.
enum BMCAuthorities {
    /// The BMCs, with the authorities of a PEM file; nil: there are none.
    static func router(_ file: String?, logger: Logger) throws -> BMCRouter {
        guard let file else { return try BMCRouter(authorities: nil, logger: logger) }
        do {
            return try BMCRouter(authorities: try String(contentsOfFile: file, encoding: .utf8), logger: logger)
        } catch {
            throw DaemonError("bmc_authorities: \(file) is no file of certificates in PEM: \(error)")
        }
    }
}
