import APIModel
import Crypto
import Foundation
import Machines
import Store
import TestSupport
import Testing

@testable import Controllers

@Suite struct ClusterServiceTests {
    static let token = "abcdef.0123456789abcdef"
    static let worker =
        "version: v1alpha1\nmachine: {type: worker, token: hidden-trust}\ncluster: {token: hidden-join}\n"

    struct Row: Sendable, CustomTestStringConvertible {
        var flavor: Cluster.Flavor
        var settings: ClusterSettings
        /// The field that is told; nil: it is fine.
        var fault: String?

        var testDescription: String { "\(flavor) \(fault ?? "fine")" }
    }

    private static func kubernetes(_ change: (inout ClusterSettings) -> Void = { _ in }) throws -> ClusterSettings {
        var settings = ClusterSettings(
            endpoint: "https://10.20.0.10:6443", version: "1.31.4", certificateAuthority: try TrialAuthority.pem(),
            secrets: [.token: token])
        change(&settings)
        return settings
    }

    static func rows() throws -> [Row] {
        let k3s = ClusterSettings(endpoint: "https://[fd00::1]:6443", secrets: [.token: "K10abc::server:secret"])
        return [
            Row(flavor: .standalone, settings: .init(), fault: nil),
            Row(flavor: .standalone, settings: .init(secrets: [.setup: "true\n"]), fault: nil),
            Row(flavor: .standalone, settings: .init(endpoint: "https://10.0.0.1:6443"), fault: "endpoint"),
            Row(flavor: .standalone, settings: .init(secrets: [.token: token]), fault: "secrets.token"),
            Row(flavor: .kubernetes, settings: try kubernetes(), fault: nil),
            Row(flavor: .kubernetes, settings: .init(), fault: "secrets.token"),
            Row(flavor: .kubernetes, settings: try kubernetes { $0.endpoint = nil }, fault: "endpoint"),
            Row(flavor: .kubernetes, settings: try kubernetes { $0.version = nil }, fault: "version"),
            Row(flavor: .kubernetes, settings: try kubernetes { $0.version = "latest" }, fault: "version"),
            Row(flavor: .kubernetes, settings: try kubernetes { $0.version = "1.31.4\nreboot" }, fault: "version"),
            Row(
                flavor: .kubernetes, settings: try kubernetes { $0.certificateAuthority = nil },
                fault: "certificateAuthority"),
            Row(
                flavor: .kubernetes, settings: try kubernetes { $0.certificateAuthority = "-----BEGIN NOTHING" },
                fault: "certificateAuthority"),
            Row(flavor: .kubernetes, settings: try kubernetes { $0.endpoint = "http://10.0.0.1" }, fault: "endpoint"),
            Row(
                flavor: .kubernetes, settings: try kubernetes { $0.endpoint = "https://a/$(reboot)" }, fault: "endpoint"
            ),
            Row(flavor: .kubernetes, settings: try kubernetes { $0.sshKeys = ["a\nb"] }, fault: "sshKeys"),
            Row(
                flavor: .kubernetes, settings: try kubernetes { $0.secrets = [.token: "two words"] },
                fault: "secrets.token"),
            Row(
                flavor: .kubernetes, settings: try kubernetes { $0.secrets = [.token: token, .worker: worker] },
                fault: "secrets.worker"),
            Row(flavor: .k3s, settings: k3s, fault: nil),
            Row(flavor: .talos, settings: .init(), fault: "secrets.worker"),
            Row(flavor: .talos, settings: .init(sshKeys: ["a"], secrets: [.worker: worker]), fault: "sshKeys"),
            Row(flavor: .rancher, settings: .init(), fault: "secrets.registration"),
            Row(flavor: .talos, settings: .init(secrets: [.worker: worker]), fault: nil),
            Row(flavor: .talos, settings: .init(secrets: [.controlPlane: worker]), fault: "secrets.control-plane"),
            Row(flavor: .talos, settings: .init(secrets: [.worker: "a: [hidden-trust"]), fault: "secrets.worker"),
            Row(
                flavor: .talos, settings: .init(secrets: [.worker: worker, .setup: "true\n"]), fault: "secrets.setup"),
            Row(
                flavor: .standalone, settings: .init(secrets: [.setup: String(repeating: "x", count: 256 << 10 + 1)]),
                fault: "secrets.setup"),
        ]
    }

    private static let key = SymmetricKey(size: .bits256)

    private func service(_ store: any RecordStore) -> ClusterService {
        ClusterService(store: store, key: Self.key, now: { Date() })
    }

    @Test("what cannot be is told with its field, and nothing is kept", arguments: try rows())
    func table(row: Row) async throws {
        let store = MemoryStore()
        do {
            _ = try await service(store).add("prod", row.flavor, row.settings, labels: nil, by: "alice")
            #expect(row.fault == nil)
        } catch let error as ServiceError {
            #expect(error.field == row.fault, "\(error)")
            #expect(!"\(error)".contains("hidden"), "\(error)")
            #expect(try await store.list(Cluster.self).items.isEmpty)
        }
    }

    @Test("the same again is no change; another is, and is told without its values")
    func change() async throws {
        let store = MemoryStore()
        let service = service(store)
        let settings = try Self.kubernetes()
        let first = try await service.add("prod", .kubernetes, settings, labels: nil, by: "alice")
        #expect(try await service.add("prod", .kubernetes, settings, labels: nil, by: "alice") == first)
        let other = try Self.kubernetes { $0.secrets = [.token: "zzzzzz.0123456789abcdef"] }
        await #expect(throws: ServiceError.self) {
            try await service.add("prod", .kubernetes, other, labels: nil, by: "alice")
        }
        await #expect(throws: ServiceError.self) {
            try await service.add("prod", .k3s, settings, labels: nil, by: "alice")
        }
        let changed = try await service.change("prod", .init(secrets: [.certificateKey: "9f3c"]), by: "bob")
        #expect(changed.join?.secrets.keys.sorted() == [.certificateKey, .token])
        #expect(try changed.join?.text(of: .token, key: Self.key) == Self.token)
        #expect(try await service.change("prod", .init(secrets: [.certificateKey: nil]), by: "bob") == first)
        // Without its token nobody joins.
        await #expect(throws: ServiceError.self) {
            try await service.change("prod", .init(secrets: [.token: nil]), by: "bob")
        }
        #expect(try await service.cluster(named: "prod") == first)
        let view = String(decoding: try APICoding.encoder.encode(ClusterView(changed, nodes: [])), as: UTF8.self)
        for kind in ["cluster", "event"] {
            for record in try await store.list(kind: kind).records {
                #expect(!String(decoding: record.value, as: UTF8.self).contains(Self.token))
            }
        }
        #expect(!view.contains(Self.token) && view.contains("certificate-key"))
        #expect(try await store.list(Event.self).items.contains { $0.message.contains("certificate-key changed") })
    }

    @Test("what is sealed for one cluster opens in no other")
    func sealed() async throws {
        let store = MemoryStore()
        let settings = ClusterSettings(secrets: [.worker: Self.worker])
        let one = try await service(store).add("one", .talos, settings, labels: nil, by: "alice")
        let other = try await service(store).add("other", .talos, settings, labels: nil, by: "alice")
        let (own, others) = (try #require(one.join?.secrets[.worker]), try #require(other.join?.secrets[.worker]))
        #expect(try own.open(with: Self.key) == Self.worker)
        #expect(throws: (any Error).self) { try Secret(id: others.id, sealed: own.sealed).open(with: Self.key) }
    }
}
