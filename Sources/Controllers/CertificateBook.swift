import Crypto
import FoundationEssentials
import Machines
import Store

/// Issues wipe certificates, one chain for the installation, and finds them again.
public struct CertificateBook: Sendable {
    let store: any RecordStore
    let installation: Installation
    let now: @Sendable () -> Date

    /// For transactions that issue: of several that end at once all but one begin again, and each has its turn in the end.
    public static let attempts = 1000

    /// Why no certificate is issued. Nothing was written.
    public struct Refusal: Error, CustomStringConvertible {
        public var description: String
    }

    /// What certificates are verified with.
    public var publicKey: Curve25519.Signing.PublicKey { installation.certificateKey.publicKey }

    /// Certifies a wipe, in the transaction that ends it. The chain's head is read and advanced with it.
    /// - Throws: ``Refusal`` where a disk was not erased: of that there is no certificate.
    public func issue(
        _ account: WipeAccount, by actor: String, daemonVersion: String, in transaction: Transaction
    ) async throws -> WipeCertificate {
        if let obstacle = account.obstacle {
            throw Refusal(description: "no certificate for the wipe of \(account.machine.name): \(obstacle)")
        }
        let now = now()
        var head = try await transaction.get(CertificateHead.self, CertificateHead.id) ?? CertificateHead()
        let key = installation.certificateKey
        let statement = WipeStatement(
            account,
            by: .init(
                id: installation.certificateAuthorityPin, name: installation.name,
                key: WipeCertificate.name(of: key.publicKey)),
            sequence: head.sequence + 1, previous: head.digest, daemonVersion: daemonVersion, at: now)
        let certificate = try WipeCertificate(statement, with: key)
        (head.sequence, head.digest) = (statement.sequence, certificate.digest)
        try transaction.put(head)
        // Not read before, so it must be new: no certificate ever takes another's place.
        try transaction.put(certificate)
        try transaction.put(
            Event.now(
                .certificateIssued, machine: account.machine.id, actor: actor,
                "\(account.machine.name): wipe certificate \(certificate.id) for \(statement.disks.count) disks, \(statement.category.words)",
                details: ["certificate": certificate.id, "operation": account.operation], at: now))
        return certificate
    }

    /// Every certificate, or those of one machine, by number.
    /// - Parameter machine: id.
    public func certificates(of machine: String? = nil) async throws -> [WipeCertificate] {
        try await store.compactMap(WipeCertificate.self) { certificate in
            try machine.map { try certificate.statement().machine.id == $0 } ?? true ? certificate : nil
        }
    }

    /// By id or number.
    public func certificate(_ reference: String) async throws -> WipeCertificate {
        let id = Int(reference).map(WipeCertificate.id) ?? reference
        guard let certificate = try await store.get(WipeCertificate.self, id) else {
            throw ServiceError(
                .notFound, "there is no wipe certificate \(reference); see `slipway certificate list`")
        }
        return certificate
    }
}
