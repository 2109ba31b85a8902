import NIOSSL

extension BoringSSLError {
    /// What the library calls it: `no shared cipher`, of `Error: 268435640 error:100000b8:SSL routines:OPENSSL_internal:NO_SHARED_CIPHER at …`.
    var words: String {
        guard case .sslError(let stack) = self, let first = stack.first else { return "\(self)" }
        let name = "\(first)".split(separator: ":").lazy.compactMap { $0.split(separator: " ").first }
            .first { $0.allSatisfy { $0.isUppercase || $0.isNumber || $0 == "_" } && $0.contains("_") }
        return name.map { $0.lowercased().split(separator: "_").joined(separator: " ") } ?? "\(first)"
    }
}
