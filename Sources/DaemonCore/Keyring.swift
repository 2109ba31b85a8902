import Crypto
import Foundation
import Machines
import Store

/// The installation's keys and its first token, made at first start in files that only root may read.
struct Keyring: Sendable {
    /// Its key is what agents and nodes know.
    let authority: CertificateAuthority
    let orderKey: Curve25519.Signing.PrivateKey
    /// Signs wipe certificates. Kept in backups for as long as certificates are to be issued under it.
    let certificateKey: Curve25519.Signing.PrivateKey
    let secretKey: SymmetricKey

    init(directory: String, now: Date) throws {
        authority = try CertificateAuthority(
            directory: directory, file: "ca", name: "Slipway installation CA", algorithm: .ecdsa, now: now)
        orderKey = try Curve25519.Signing.PrivateKey(
            rawRepresentation: PrivateFile.key(at: directory + "/order.key") {
                Curve25519.Signing.PrivateKey().rawRepresentation
            })
        certificateKey = try Curve25519.Signing.PrivateKey(
            rawRepresentation: PrivateFile.key(at: directory + "/certificate.key") {
                Curve25519.Signing.PrivateKey().rawRepresentation
            })
        secretKey = SymmetricKey(
            data: try PrivateFile.key(at: directory + "/secrets.key") {
                SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
            })
    }

    /// What firmware with HTTPS boot is to trust; made at the first start that needs it.
    static func firmwareAuthority(directory: String, now: Date) throws -> CertificateAuthority {
        try CertificateAuthority(
            directory: directory, file: "boot-ca", name: "Slipway boot CA", algorithm: .rsa, now: now)
    }

    /// Makes the bootstrap token unless the store knows the one in `admin.token`. The file is written last: a token that
    /// nobody can read is worth nothing, one that does not work would be worse.
    static func bootstrapToken(store: any RecordStore, path: String, now: Date) async throws {
        if let text = try? String(contentsOfFile: path, encoding: .utf8) {
            let hash = Credential.hash(text.trimmingCharacters(in: .whitespacesAndNewlines))
            if try await store.get(AccessToken.self, hash) != nil { return }
        } else if try await store.list(AccessToken.self).items.contains(where: { $0.role == .admin }) {
            // The file was taken away on purpose, and somebody holds an admin token.
            return
        }
        let token = Credential.random()
        try await store.transaction { transaction in
            try transaction.put(AccessToken(id: Credential.hash(token), name: "admin", role: .admin, createdAt: now))
        }
        try PrivateFile.write(token + "\n", to: path)
    }
}
