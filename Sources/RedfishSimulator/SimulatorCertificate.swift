import Crypto
import Foundation
import NIOSSL
import SwiftASN1
import X509

/// A certificate of a simulated BMC, with its key.
public struct SimulatorCertificate: Sendable {
    public let pem: String
    public let keyPEM: String
    /// Of the DER form, 64 lower-case hex digits.
    public let sha256: String

    /// As BMCs come from the factory: signed by itself, the name and dates of the maker.
    public static func factory(name: String = "bmc-factory-default", year: Int = 2011) throws -> Self {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let start = Date(timeIntervalSince1970: Double(year - 1970) * 365.25 * 86_400)
        return try make(
            subject: try DistinguishedName { CommonName(name) }, issuer: try DistinguishedName { CommonName(name) },
            key: key,
            signer: key, from: start, to: start.addingTimeInterval(86_400), names: nil)
    }

    /// An authority, and certificates by it.
    public struct Authority: Sendable {
        public let pem: String
        private let key: Certificate.PrivateKey
        private let name: DistinguishedName

        public init(name: String = "Test installation") throws {
            key = Certificate.PrivateKey(P256.Signing.PrivateKey())
            self.name = try DistinguishedName { CommonName(name) }
            let now = Date()
            let certificate = try Certificate(
                version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
                notValidBefore: now.addingTimeInterval(-86_400), notValidAfter: now.addingTimeInterval(86_400),
                issuer: self.name, subject: self.name, signatureAlgorithm: .ecdsaWithSHA256,
                extensions: try Certificate.Extensions {
                    Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                    Critical(KeyUsage(keyCertSign: true))
                }, issuerPrivateKey: key)
            pem = try certificate.serializeAsPEM().pemString
        }

        /// - Parameter address: IPv4, as four numbers.
        public func issue(address: [UInt8], days: Double = 1) throws -> SimulatorCertificate {
            let now = Date()
            return try SimulatorCertificate.make(
                subject: try DistinguishedName { CommonName("bmc") }, issuer: name,
                key: Certificate.PrivateKey(P256.Signing.PrivateKey()), signer: key,
                from: now.addingTimeInterval(-10 * 86_400), to: now.addingTimeInterval(days * 86_400),
                names: SubjectAlternativeNames([.ipAddress(ASN1OctetString(contentBytes: address[...]))]))
        }
    }

    private static func make(
        subject: DistinguishedName, issuer: DistinguishedName, key: Certificate.PrivateKey,
        signer: Certificate.PrivateKey,
        from: Date, to: Date, names: SubjectAlternativeNames?
    ) throws -> Self {
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey, notValidBefore: from,
            notValidAfter: to, issuer: issuer, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                if let names { names }
            }, issuerPrivateKey: signer)
        let pem = try certificate.serializeAsPEM()
        return Self(
            pem: pem.pemString, keyPEM: try key.serializeAsPEM().pemString,
            sha256: SHA256.hash(data: pem.derBytes).map { String(format: "%02x", $0) }.joined())
    }

    func context() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(keyPEM.utf8), format: .pem)))
        configuration.minimumTLSVersion = .tlsv12
        return try NIOSSLContext(configuration: configuration)
    }
}
