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
        let name = "slipway-test-\(ProcessInfo.processInfo.processIdentifier)-\(UInt16.random(in: 0...0xffff))"
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

    private func remove() async {
        for namespace in [server, client] {
            _ = try? await ChildProcess.run("ip", ["netns", "delete", namespace])
        }
    }
}
