import Crypto
import FoundationEssentials
import Machines
import SwiftASN1
import X509

/// Decides whether a BMC's certificate is believed.
struct CertificateJudge: Sendable {
    let authorities: [Certificate]

    /// What the handshake showed.
    struct Shown: Sendable {
        var chain: [[UInt8]]
        /// Of the BMC's own, as ``BMCTrust`` has it; empty when it showed none.
        var sha256: String

        init(_ chain: [[UInt8]]) {
            self.chain = chain
            sha256 = chain.first.map { CertificateJudge.hex(SHA256.hash(data: $0)) } ?? ""
        }
    }

    /// - Returns: nil when it is believed; else why not, and what to do.
    func refusal(_ shown: Shown, trust: BMCTrust, address: String) async -> String? {
        switch trust {
        case .anything: return nil
        case .pinned(let pin):
            // The bytes alone count. A BMC's clock is wrong, its certificate's name is the maker's, and its dates are of the year it was made.
            let wanted = pin.lowercased()
            guard shown.sha256 != wanted else { return nil }
            return """
                its certificate has the SHA-256 \(shown.sha256), and the one that is trusted has \(wanted); if it was changed on purpose (new \
                firmware, a reset, a new board), compare the first with what the BMC shows on its own page, and trust it then; if not, \
                another machine answers at this address
                """
        case .authorities:
            guard let reason = await unauthorized(shown, address: address) else { return nil }
            return """
                its certificate with the SHA-256 \(shown.sha256) is not one of the installation's authorities' for \(address) (\(reason)); \
                give the BMC a certificate of theirs, or compare the SHA-256 with what the BMC shows on its own page, and trust it alone
                """
        }
    }

    /// Why no authority vouches for it; nil when one does: chain, dates, and the address among its names.
    func unauthorized(_ shown: Shown, address: String) async -> String? {
        guard !authorities.isEmpty else { return "no authorities are given" }
        let certificates = shown.chain.map { try? Certificate(derEncoded: $0) }
        guard let leaf = certificates.first ?? nil else { return "it cannot be read" }
        var verifier = Verifier(rootCertificates: CertificateStore(authorities)) {
            RFC5280Policy()
            ServerIdentityPolicy(serverHostname: nil, serverIP: address)
        }
        let intermediates = CertificateStore(certificates.dropFirst().compactMap(\.self))
        switch await verifier.validate(leaf: leaf, intermediates: intermediates) {
        case .validCertificate: return nil
        case .couldNotValidate(let failures):
            return failures.first.map { "\($0.policyFailureReason)" } ?? "no authority signed it"
        }
    }

    /// For people and the store.
    func describe(_ shown: Shown, address: String) async -> BMCCertificate? {
        guard let bytes = shown.chain.first else { return nil }
        return Self.describe(bytes, isAuthorized: await unauthorized(shown, address: address) == nil)
    }

    /// A certificate that cannot be read has no names, and a fingerprint all the same.
    static func describe(_ der: [UInt8], isAuthorized: Bool) -> BMCCertificate {
        let certificate = try? Certificate(derEncoded: der)
        return BMCCertificate(
            sha256: hex(SHA256.hash(data: der)), subject: certificate.map { "\($0.subject)" } ?? "",
            issuer: certificate.map { "\($0.issuer)" } ?? "",
            notBefore: certificate?.notValidBefore ?? Date(timeIntervalSince1970: 0),
            notAfter: certificate?.notValidAfter ?? Date(timeIntervalSince1970: 0), isAuthorized: isAuthorized)
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
