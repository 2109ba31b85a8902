import ConfigDocuments
import Foundation
import Machines
import TestSupport
import Testing

@testable import OperatingSystems

/// The same networks in each system's own words; see Fixtures/network.
@Suite struct NetworkDialectTests {
    @Test("netplan", arguments: TrialNetworks.names)
    func netplan(name: String) throws {
        let value: ConfigValue = ["network": Netplan.render(try TrialNetworks.network(name))]
        try Golden.expect(value.yaml, "network/netplan/\(name).yaml")
    }

    @Test("systemd-networkd", arguments: TrialNetworks.names)
    func networkd(name: String) throws {
        let files = SystemdNetwork.render(try TrialNetworks.network(name))
        try Golden.expect(Self.joined(files.map { ($0.name, $0.content) }), "network/systemd/\(name).txt")
    }

    @Test("NetworkManager", arguments: TrialNetworks.names)
    func keyfiles(name: String) throws {
        let files = KeyfileNetwork.render(try TrialNetworks.network(name))
        try Golden.expect(Self.joined(files.map { ($0.name, $0.content) }), "network/networkmanager/\(name).txt")
    }

    @Test("Talos, both ways", arguments: TrialNetworks.names)
    func talos(name: String) throws {
        let network = try TrialNetworks.network(name)
        try Golden.expect(TalosNetwork.classic(network).yaml, "network/talos/\(name).classic.yaml")
        try Golden.expect(ConfigValue.yaml(TalosNetwork.documents(network)), "network/talos/\(name).documents.yaml")
    }

    @Test("Bottlerocket", arguments: TrialNetworks.names)
    func bottlerocket(name: String) throws {
        let text = Self.outcome { () throws(ConfigurationError) in
            try BottlerocketNetwork.netTOML(try TrialNetworks.resolved(name), bootMAC: nil)
        }
        try Golden.expect(text, "network/bottlerocket/\(name).toml")
    }

    @Test("the reference OS", arguments: TrialNetworks.names)
    func referenceOS(name: String) throws {
        let text = Self.outcome { () throws(ConfigurationError) in
            try ReferenceOSNetwork.settings(try TrialNetworks.resolved(name)).map { "\($0)=\($1)\n" }.joined()
        }
        try Golden.expect(text, "network/reference-os/\(name).txt")
    }

    private static func joined(_ files: [(name: String, content: String)]) -> String {
        files.map { "# \($0.name)\n\($0.content)" }.joined(separator: "\n")
    }

    /// What it says, or why it refuses.
    private static func outcome(_ body: () throws(ConfigurationError) -> String) -> String {
        do {
            return try body()
        } catch {
            return "refused: \(error)\n"
        }
    }
}

extension TrialNetworks {
    /// For closures that throw one kind of error.
    static func resolved(_ name: String) throws(ConfigurationError) -> SystemNetwork {
        do {
            return try network(name)
        } catch {
            throw ConfigurationError(field: "network", reason: "\(error)")
        }
    }
}
