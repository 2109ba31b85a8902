import NIOSSL

extension BoringSSLError {
    /// Why a handshake failed: `no shared cipher`, of `Error: 268435640 error:100000b8:SSL routines:OPENSSL_internal:NO_SHARED_CIPHER at …`.
    var words: String {
        guard case .sslError(let stack) = self, let first = stack.first else { return "\(self)" }
        if stack.contains(.eofDuringHandshake) { return Self.brokenOff }
        let names = stack.compactMap(Self.name)
        // OpenSSL, and EDK2 with it, sends the alert before its own keys are in use.
        if names.contains("DECRYPTION_FAILED_OR_BAD_RECORD_MAC") {
            return "it sent an alert that is not encrypted, as clients of TLS 1.3 do that refuse the certificate"
        }
        return names.first.map { $0.lowercased().split(separator: "_").joined(separator: " ") } ?? "\(first)"
    }

    /// EDK2 says nothing of a certificate that it does not trust.
    static let brokenOff = "the client broke off the handshake"

    private static func name(_ error: BoringSSLInternalError) -> Substring? {
        "\(error)".split(separator: ":").lazy.compactMap { $0.split(separator: " ").first }
            .first { $0.allSatisfy { $0.isUppercase || $0.isNumber || $0 == "_" } && $0.contains("_") }
    }
}
