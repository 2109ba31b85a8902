import Crypto
import FoundationEssentials
import Machines
import SwiftASN1
import X509

/// A cluster's own CA, as those who join it know it.
enum ClusterAuthority {
    /// `sha256:` of its public key, as `kubeadm join --discovery-token-ca-cert-hash` has it (RFC 7469, section 2.4).
    /// - Throws: what is wrong with the PEM.
    static func pin(of pem: String) throws -> String {
        let key = try Certificate(pemEncoded: pem).publicKey
        return "sha256:" + Credential.hex(Array(SHA256.hash(data: try key.serializeAsPEM().derBytes)))
    }
}
