import Crypto

/// A TPM 2.0 that takes commands.
public protocol TPMTransport: Sendable {
    /// What the TPM answers; nil when it does not, or not in time.
    func exchange(_ command: [UInt8]) -> [UInt8]?
}

/// The endorsement key, which a TPM makes again and again from the seed that its maker left in it: no other TPM has the same one. It is made
/// and forgotten; nothing in the TPM changes.
public enum EndorsementKey {
    /// A default template (TCG EK Credential Profile for TPM Family 2.0, annex B.3.3 and B.3.4). The one of P-256 is asked for first, since
    /// an RSA key takes some TPMs half a minute to make.
    enum Template: CaseIterable {
        /// L-2: ECC P-256.
        case ecc
        /// L-1: RSA 2048.
        case rsa

        /// TPMT_PUBLIC without the part that is this key's alone.
        var head: [UInt8] {
            // Type and name algorithm (SHA-256); fixedTPM, fixedParent, sensitiveDataOrigin, adminWithPolicy, restricted, decrypt; the policy.
            (self == .ecc ? [0x00, 0x23] : [0x00, 0x01]) + [0x00, 0x0b, 0x00, 0x03, 0x00, 0xb2, 0x00, 0x20]
                + Self.policy
                // AES, 128 bits, CFB; no scheme.
                + [0x00, 0x06, 0x00, 0x80, 0x00, 0x43, 0x00, 0x10]
                // P-256 and no key derivation; or 2048 bits and the usual exponent.
                + (self == .ecc ? [0x00, 0x03, 0x00, 0x10] : [0x08, 0x00, 0x00, 0x00, 0x00, 0x00])
        }

        /// The template as it is sent: zeros stand where the key will be.
        var area: [UInt8] {
            let zeros = [UInt8](repeating: 0, count: 32)
            return head
                + (self == .ecc ? [0, 32] + zeros + [0, 32] + zeros : [1, 0] + [UInt8](repeating: 0, count: 256))
        }

        /// PolicyA: TPM2_PolicySecret of the endorsement hierarchy, by SHA-256 (annex B.6.2).
        private static let policy: [UInt8] = [
            0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24,
            0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa,
        ]
    }

    private enum Answer {
        case key(TPMPublicKey)
        case unsupported
        case denied
        case failed
    }

    /// SHA-256 of the key's TPMT_PUBLIC, 64 hex digits: what stands in the key's TPM name behind the two bytes of the algorithm
    /// (`tpm2_readpublic --name`).
    /// - Returns: nil when the TPM does not tell.
    public static func hash(of transport: some TPMTransport) -> String? {
        for template in Template.allCases {
            switch create(template, transport) {
            case .key(let key): return hash(key, template)
            case .unsupported: continue
            // Somebody owns the hierarchy. The same key may have been left where everybody may read it; another one would be another name.
            case .denied: return kept(template, transport)
            case .failed: return nil
            }
        }
        return nil
    }

    private static func create(_ template: Template, _ transport: some TPMTransport) -> Answer {
        guard let bytes = transport.exchange(TPMCommand.createPrimary(template.area)),
            let response = try? TPMResponse(parsing: bytes)
        else { return .failed }
        guard response.code == .success else {
            return response.code.isUnsupported ? .unsupported : response.code.isDenied ? .denied : .failed
        }
        guard let created = try? TPMCreated(parsing: response.body) else { return .failed }
        _ = transport.exchange(TPMCommand.flush(created.handle))
        return .key(created.key)
    }

    private static func kept(_ template: Template, _ transport: some TPMTransport) -> String? {
        for handle in TPMHandle.keptEndorsementKeys {
            guard let bytes = transport.exchange(TPMCommand.readPublic(handle)),
                let response = try? TPMResponse(parsing: bytes), response.code == .success,
                let key = try? TPMPublicKey(parsing: response.body), let hash = hash(key, template)
            else { continue }
            return hash
        }
        return nil
    }

    /// Nil when the key is not by the template, or its name is not its own.
    private static func hash(_ key: TPMPublicKey, _ template: Template) -> String? {
        guard key.area.count == template.area.count, key.area.starts(with: template.head) else { return nil }
        let digest = Array(SHA256.hash(data: key.area))
        guard key.name == [0x00, 0x0b] + digest else { return nil }
        return digest.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
