import Controllers
import Foundation
import ImageLibrary

/// Who signs what is fetched.
enum MakersKeys {
    static let usual = "/etc/slipway/keys"

    static func of(_ configuration: DaemonConfiguration) -> SigningKeys {
        SigningKeys(directory: configuration.signingKeys ?? usual)
    }

    /// - Throws: ``DaemonError`` for what would count for nothing.
    static func check(_ configuration: DaemonConfiguration) throws {
        guard configuration.signingKeys != nil || FileManager.default.fileExists(atPath: usual) else { return }
        do {
            try of(configuration).check(systems: CatalogService.systemNames)
        } catch {
            throw DaemonError("signing_keys: \(error)")
        }
    }
}
