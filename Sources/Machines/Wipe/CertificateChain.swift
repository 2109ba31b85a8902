import Crypto

/// Whether certificates are an installation's, and all of a row. Pure: needs the certificates and the public key, and nobody else.
public enum CertificateChain {
    /// Checks the signature of each certificate, and that they are one row without a gap, each naming the one before.
    /// - Parameters:
    ///   - certificates: in the order of their numbers.
    ///   - isWhole: they are the whole chain: the first is number 1. What is missing at the end nobody can see.
    /// - Returns: what they say.
    /// - Throws: ``CertificateFault``: the first that is found.
    public static func check(
        _ certificates: [WipeCertificate], key: Curve25519.Signing.PublicKey, isWhole: Bool = true
    ) throws(CertificateFault) -> [WipeStatement] {
        var statements: [WipeStatement] = []
        for certificate in certificates { statements.append(try certificate.statement(signedBy: key)) }
        if let first = statements.first {
            guard !isWhole || first.sequence == 1 else { throw .missing(1) }
            guard first.sequence > 1 || first.previous == nil else { throw .broken(0, first.sequence) }
        }
        for (index, pair) in zip(statements, statements.dropFirst()).enumerated() {
            let (former, next) = (pair.0.sequence, pair.1.sequence)
            guard next != former else {
                throw certificates[index] == certificates[index + 1] ? .twice(next) : .forked(next)
            }
            guard next > former else { throw .disordered(next, after: former) }
            guard next == former + 1 else { throw .missing(former + 1) }
            guard pair.1.previous == certificates[index].digest else { throw .broken(former, next) }
        }
        return statements
    }
}

/// Why certificates are not believed.
public enum CertificateFault: Error, Equatable, CustomStringConvertible {
    /// The bytes are not what was signed, or somebody else signed them.
    case badSignature(String)
    case otherKey(String, named: String, given: String)
    case unreadable(String)
    case otherFormat(String, String)
    /// It is called by another number than its own.
    case otherNumber(String, Int)
    /// The second does not name the first as the one before.
    case broken(Int, Int)
    case missing(Int)
    case twice(Int)
    /// Two certificates of one number, both signed.
    case forked(Int)
    case disordered(Int, after: Int)

    public var description: String {
        switch self {
        case .badSignature(let id): "\(id): the signature is wrong: it was altered, or somebody else made it"
        case .otherKey(let id, let named, let given):
            "\(id): the signature is wrong: it names the key \(named), and was checked with \(given)"
        case .unreadable(let id): "\(id): it cannot be read as a wipe certificate"
        case .otherFormat(let id, let format):
            "\(id): its format is \(format.debugDescription), and \(WipeStatement.format) is known here"
        case .otherNumber(let id, let number): "\(id): it is certificate \(number) under another name"
        case .broken(let former, let next):
            former == 0
                ? "the chain is broken: certificate \(next) is the first, and names one before it"
                : "the chain is broken between \(former) and \(next): \(next) does not name the digest of \(former)"
        case .missing(let number): "certificate \(number) is missing"
        case .twice(let number): "certificate \(number) is there twice"
        case .forked(let number):
            "there are two different certificates of number \(number): the installation's store was set back, or its key was used elsewhere"
        case .disordered(let number, let former): "certificate \(number) comes after \(former)"
        }
    }
}
