import Machines
import Redfish

extension RedfishController {
    /// What is at an address: the certificate that it shows and its service root; with credentials what it says of itself and its machine.
    /// - Parameter trust: what is believed of it before the credentials are sent. Without credentials nothing secret is sent, and any is.
    public func probe(
        address: String, port: Int, credentials: (username: String, password: String)?, trust: BMCTrust = .authorities
    ) async -> BMCProbe.Finding {
        var finding = BMCProbe.Finding(kind: .redfish, port: port, outcome: .absent)
        var access = BMCAccess(
            kind: .redfish, address: address, port: port, username: "", password: "", trust: .anything)
        let session = RedfishSession(access, doing: "look for Redfish", limits: limits, judge: judge)
        do {
            let root = try await session.serviceRoot()
            finding.outcome = .answers
            finding.facts = [
                "Redfish \(root.version)", root.vendor.map { "vendor \($0)" }, root.product.map { "product \($0)" },
                root.serviceTag.map { "service tag \($0)" }, root.uuid.map { "UUID \($0)" },
            ].compactMap(\.self)
        } catch {
            finding.problem = (error as? BMCError)?.detail ?? "\(error)"
        }
        if let shown = await session.shown { finding.certificate = await judge.describe(shown, address: address) }
        await session.close()
        guard finding.outcome == .answers, let credentials else { return finding }
        (access.username, access.password, access.trust) = (credentials.username, credentials.password, trust)
        do {
            finding.description = try await describe(access)
        } catch {
            finding.problem = (error as? BMCError)?.detail ?? "\(error)"
        }
        return finding
    }
}
