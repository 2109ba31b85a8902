import Crypto
import Foundation
import NIOSSL
import NetworkAddresses
import SwiftASN1
import X509

/// The installation's own certificate authority. Agents and nodes pin its key; the serving certificate is made anew at every
/// start, so a changed address or an old certificate never locks anyone out.
struct CertificateAuthority: Sendable {
    /// ECDSA P-256, for the agent's small verifier.
    let key: P256.Signing.PrivateKey
    let certificate: Certificate

    /// Loads the authority from `directory`, or makes one there at first start.
    init(directory: String, now: Date) throws {
        let keyFile = directory + "/ca.key"
        let certificateFile = directory + "/ca.pem"
        if FileManager.default.fileExists(atPath: keyFile) {
            key = try P256.Signing.PrivateKey(pemRepresentation: String(contentsOfFile: keyFile, encoding: .utf8))
        } else {
            key = P256.Signing.PrivateKey()
            try PrivateFile.write(key.pemRepresentation, to: keyFile)
        }
        if FileManager.default.fileExists(atPath: certificateFile) {
            certificate = try Certificate(pemEncoded: String(contentsOfFile: certificateFile, encoding: .utf8))
        } else {
            certificate = try Self.selfSigned(key: key, now: now)
            try PrivateFile.write(certificate.serializeAsPEM().pemString + "\n", to: certificateFile, mode: 0o644)
        }
    }

    /// PEM of the certificate.
    var pem: String {
        get throws { try certificate.serializeAsPEM().pemString + "\n" }
    }

    /// `sha256:` and the hex digest of the key's SubjectPublicKeyInfo: what agents are told on their command line.
    var pin: String { "sha256:" + identifier.map { String(format: "%02x", $0) }.joined() }

    /// 32 bytes that tell this installation from others.
    var identifier: [UInt8] { Array(SHA256.hash(data: key.publicKey.derRepresentation)) }

    /// A server certificate for these addresses and its TLS configuration.
    func serverConfiguration(addresses: [String], names: [String], now: Date) throws -> TLSConfiguration {
        let leafKey = P256.Signing.PrivateKey()
        let subjects = names.map { GeneralName.dnsName($0) } + addresses.compactMap(Self.ipName)
        let leaf = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(leafKey.publicKey),
            notValidBefore: Self.beginningOfTime, notValidAfter: now.addingTimeInterval(2 * Self.year),
            issuer: certificate.subject, subject: DistinguishedName { CommonName("slipwayd") },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(subjects)
            }, issuerPrivateKey: .init(key))
        let chain = try [leaf, certificate].map { try Self.bytes(of: $0) }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try chain.map { .certificate(try NIOSSLCertificate(bytes: $0, format: .der)) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(leafKey.derRepresentation), format: .der)))
        configuration.minimumTLSVersion = .tlsv12
        return configuration
    }

    /// Racked servers come up in 1970, and their first look at a certificate must not fail on its date.
    private static let beginningOfTime = Date(timeIntervalSince1970: 0)
    private static let year: Double = 365 * 86400

    private static func selfSigned(key: P256.Signing.PrivateKey, now: Date) throws -> Certificate {
        let name = try DistinguishedName { CommonName("Slipway installation CA") }
        return try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(key.publicKey),
            notValidBefore: beginningOfTime, notValidAfter: now.addingTimeInterval(20 * year), issuer: name,
            subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
            }, issuerPrivateKey: .init(key))
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
