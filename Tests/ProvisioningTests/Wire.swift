import Foundation
import TestSupport
import Testing

/// Two network namespaces joined by a veth pair, a machine's NIC at one end and a switch port at the other.
struct Wire {
    /// Has `srv0` with 10.98.0.1/24.
    let server: String
    /// Has `cli0` without an address.
    let client: String

    /// Makes a wire, and takes it away after `body`.
    static func with(_ body: (Wire) async throws -> Void) async throws {
        let name = "slipway-test-" + UUID().uuidString
        let wire = Wire(server: name + "-s", client: name + "-c")
        do {
            try await wire.ip("netns add \(wire.server)")
            try await wire.ip("netns add \(wire.client)")
            try await wire.ip("-n \(wire.server) link add srv0 type veth peer name cli0 netns \(wire.client)")
            try await wire.ip("-n \(wire.server) link set lo up")
            try await wire.ip("-n \(wire.server) address add 10.98.0.1/24 dev srv0")
            try await wire.ip("-n \(wire.server) link set srv0 up")
            try await wire.ip("-n \(wire.client) link set cli0 up")
            try await body(wire)
        } catch {
            await wire.remove()
            throw error
        }
        await wire.remove()
    }

    /// Runs `ip` with these words.
    @discardableResult func ip(_ words: String) async throws -> String {
        let answer = try await ChildProcess.run("ip", words.split(separator: " ").map(String.init))
        try #require(answer.status == 0, "ip \(words): \(answer.output)")
        return answer.output
    }

    /// Puts a router between the two ends: the machine's is in 10.99.0.0/24 then, behind 10.99.0.254.
    /// - Returns: the router's namespace, which has `rel0` with 10.98.0.2 towards the server and `rel1` towards the machine.
    func addRouter() async throws -> String {
        let router = server + "-r"
        try await ip("netns add \(router)")
        try await ip("-n \(client) link delete cli0")
        try await ip("-n \(server) link add srv0 type veth peer name rel0 netns \(router)")
        try await ip("-n \(router) link add rel1 type veth peer name cli0 netns \(client)")
        try await ip("-n \(server) address add 10.98.0.1/24 dev srv0")
        try await ip("-n \(router) address add 10.98.0.2/24 dev rel0")
        try await ip("-n \(router) address add 10.99.0.254/24 dev rel1")
        for (namespace, link) in [(server, "srv0"), (router, "rel0"), (router, "rel1"), (client, "cli0")] {
            try await ip("-n \(namespace) link set \(link) up")
        }
        try await ip("-n \(server) route add 10.99.0.0/24 via 10.98.0.2")
        return router
    }

    private func remove() async {
        for namespace in [server, client, server + "-r"] {
            _ = try? await ChildProcess.run("ip", ["netns", "delete", namespace])
        }
    }
}
