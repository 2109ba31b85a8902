import FoundationEssentials
import Machines

/// A wipe certificate as the REST API shows it and as it is kept in files. ``payload`` and ``signature`` are the certificate; ``statement`` is what
/// the payload says, for people.
public struct CertificateView: Codable, Sendable, Equatable {
    public var id: String
    /// The exact bytes that were signed, in Base64.
    public var payload: Data
    /// Ed25519, in Base64.
    public var signature: Data
    /// What the next certificate names.
    public var digest: String
    public var statement: WipeStatement

    public init(_ certificate: WipeCertificate) throws {
        (id, payload, signature) = (certificate.id, certificate.payload, certificate.signature)
        (digest, statement) = (certificate.digest, try certificate.statement())
    }

    public var certificate: WipeCertificate { WipeCertificate(id: id, payload: payload, signature: signature) }

    /// What the readable part says otherwise than the signed one; nil: nothing.
    public var contradiction: String? {
        guard digest == certificate.digest else { return "its digest is not that of its payload and signature" }
        guard let signed = try? certificate.statement() else { return "its payload cannot be read" }
        return statement == signed ? nil : "its readable part is not what was signed"
    }
}

/// A wipe certificate as lists show it.
public struct CertificateSummary: Codable, Sendable, Equatable {
    public var id: String
    public var sequence: Int
    /// Id and name of the machine, as it was called then.
    public var machine: String
    public var machineName: String
    public var operation: String
    public var requestedBy: String
    public var issuedAt: Date
    /// How many disks were erased, and how many left alone.
    public var disks: Int
    public var leftAlone: Int
    /// What all of the erased ones reached.
    public var category: SanitizationCategory

    public init(_ certificate: WipeCertificate) throws {
        let statement = try certificate.statement()
        (id, sequence, issuedAt) = (certificate.id, statement.sequence, statement.issuedAt)
        (machine, machineName) = (statement.machine.id, statement.machine.name)
        (operation, requestedBy) = (statement.operation, statement.requestedBy)
        (disks, leftAlone, category) = (statement.disks.count, statement.leftAlone.count, statement.category)
    }
}
