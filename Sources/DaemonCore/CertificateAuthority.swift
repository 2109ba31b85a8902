import Crypto
import CryptoExtras
import Foundation
import Machines
import NIOSSL
import NetworkAddresses
import SwiftASN1
import X509

/// A certificate authority of the installation. The serving certificates are made anew at every start, so a changed address or an
/// old certificate never locks anyone out.
struct CertificateAuthority: Sendable {
    /// What keys are made of.
    enum Algorithm {
        /// P-256, for the agent's small verifier.
        case ecdsa
        /// For firmware: EDK2, from which most of it is made, is built without elliptic curves as a rule (OVMF of Debian 12 offers none).
        case rsa

        /// - Parameter isLasting: for twenty years, and not until the next start.
        func makeKey(isLasting: Bool) throws -> Certificate.PrivateKey {
            switch self {
            case .ecdsa: .init(P256.Signing.PrivateKey())
            case .rsa: .init(try _RSA.Signing.PrivateKey(keySize: isLasting ? .bits3072 : .bits2048))
            }
        }

        var signature: Certificate.SignatureAlgorithm {
            switch self {
            case .ecdsa: .ecdsaWithSHA256
            case .rsa: .sha256WithRSAEncryption
            }
        }
    }

    private let algorithm: Algorithm
    private let key: Certificate.PrivateKey
    let certificate: Certificate

    /// Loads the authority from `directory`, or makes one there at first start: `FILE.key`, and `FILE.pem` for those who trust it.
    init(directory: String, file: String, name: String, algorithm: Algorithm, now: Date) throws {
        let keyFile = "\(directory)/\(file).key"
        let certificateFile = "\(directory)/\(file).pem"
        self.algorithm = algorithm
        if FileManager.default.fileExists(atPath: keyFile) {
            key = try Certificate.PrivateKey(pemEncoded: String(contentsOfFile: keyFile, encoding: .utf8))
        } else {
            key = try algorithm.makeKey(isLasting: true)
            try PrivateFile.write(key.serializeAsPEM().pemString, to: keyFile)
        }
        if FileManager.default.fileExists(atPath: certificateFile) {
            certificate = try Certificate(pemEncoded: String(contentsOfFile: certificateFile, encoding: .utf8))
        } else {
            certificate = try Self.selfSigned(name, key: key, algorithm, now: now)
            try PrivateFile.write(certificate.serializeAsPEM().pemString + "\n", to: certificateFile, mode: 0o644)
        }
        identifier = try Array(SHA256.hash(data: key.publicKey.serializeAsPEM().derBytes))
    }

    /// After this nobody believes it.
    var notAfter: Date { certificate.notValidAfter }

    /// PEM of the certificate.
    var pem: String {
        get throws { try certificate.serializeAsPEM().pemString + "\n" }
    }

    /// SHA-256 of the key's SubjectPublicKeyInfo: 32 bytes that tell this installation from others.
    let identifier: [UInt8]

    /// `sha256:` and the hex digits of the ``identifier``: what agents are told on their command line.
    var pin: String { "sha256:" + Credential.hex(identifier) }

    /// A server certificate for these addresses and its TLS configuration.
    func serverConfiguration(addresses: [String], names: [String], now: Date) throws -> TLSConfiguration {
        let leafKey = try algorithm.makeKey(isLasting: false)
        let subjects = names.map { GeneralName.dnsName($0) } + addresses.compactMap(Self.ipName)
        let leaf = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: leafKey.publicKey,
            notValidBefore: Self.beginningOfTime, notValidAfter: now.addingTimeInterval(Self.leafLifetime),
            issuer: certificate.subject, subject: DistinguishedName { CommonName("slipwayd") },
            signatureAlgorithm: algorithm.signature,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                // With RSA the client encrypts its secret for this key (RFC 5246 §7.4.2).
                Critical(KeyUsage(digitalSignature: true, keyEncipherment: algorithm == .rsa))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(subjects)
            }, issuerPrivateKey: key)
        let chain = try [leaf, certificate].map { try Self.bytes(of: $0) }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try chain.map { .certificate(try NIOSSLCertificate(bytes: $0, format: .der)) },
            privateKey: .privateKey(
                try NIOSSLPrivateKey(bytes: Array(leafKey.serializeAsPEM().pemString.utf8), format: .pem)))
        configuration.minimumTLSVersion = .tlsv12
        return configuration
    }

    /// Racked servers come up in 1970, and their first look at a certificate must not fail on its date.
    private static let beginningOfTime = Date(timeIntervalSince1970: 0)
    private static let year: Double = 365 * 86400
    /// Seconds from a start of the daemon to the end of the certificates that it made then.
    static let leafLifetime: Double = 2 * year

    private static func selfSigned(
        _ name: String, key: Certificate.PrivateKey, _ algorithm: Algorithm, now: Date
    ) throws -> Certificate {
        let name = try DistinguishedName { CommonName(name) }
        return try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
            notValidBefore: beginningOfTime, notValidAfter: now.addingTimeInterval(20 * year), issuer: name,
            subject: name,
            signatureAlgorithm: algorithm.signature,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
            }, issuerPrivateKey: key)
    }

    private static func ipName(_ address: String) -> GeneralName? {
        IPv4Address(address).map { .ipAddress(ASN1OctetString(contentBytes: $0.bytes[...])) }
    }

    private static func bytes(of certificate: Certificate) throws -> [UInt8] {
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        return serializer.serializedBytes
    }
}
