import APIModel
import AgentCore
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// The installed system of a machine: registers once, sends heartbeats, and leaves its cluster when it is asked to.
struct InstalledNode: Sendable {
    /// What the install left in `machine.conf`.
    struct Settings: Sendable {
        private let values: [String: String]
        /// Its credential, made at its first start.
        let credential: String
        /// Seconds between two heartbeats, once it has registered.
        var period: Int?

        init(_ text: String) {
            values = Dictionary(
                text.split(separator: "\n").compactMap { line in
                    let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
                    return parts.count == 2 ? (parts[0], parts[1]) : nil
                }, uniquingKeysWith: { $1 })
            credential = UUID().uuidString + UUID().uuidString
        }

        subscript(key: String) -> String { values[key] ?? "" }
    }

    /// What it sends, as the reference OS's script does.
    private struct Registration: Encodable {
        var token, name, machine, osRelease, credential, bootID, kernel: String
        var addresses: [String]
    }

    private struct Heartbeat: Encodable { var bootID, osRelease, slot: String }

    let machine: FleetMachine
    let settings: Settings
    let client: DaemonClient
    let address: String
    let bootID: String

    /// Runs until the machine restarts.
    func run() async throws {
        let period: Int
        if let known = settings.period {
            period = known
        } else {
            period = try await register()
            machine.note(period: period)
        }
        Report.say(.node, machine.number)
        var hasLeft = false
        while !Task.isCancelled {
            let beat = Heartbeat(bootID: bootID, osRelease: settings["OS_RELEASE"], slot: "A")
            let answer = try? await call("heartbeat", try JSONEncoder().encode(beat))
            if let answer, answer.status == 200, !hasLeft,
                let instruction = try? JSONDecoder().decode(NodeInstruction.self, from: answer.body), instruction.leave
            {
                // Its release hook.
                try await Task.sleep(for: .seconds(machine.seconds(machine.pace.hook)))
                if try await leave() { return }
                hasLeft = true
            }
            try await Task.sleep(for: .seconds(Double(period) * machine.luck.seconds(0.9...1.0)))
        }
    }

    private func register() async throws -> Int {
        let body = try JSONEncoder().encode(
            Registration(
                token: settings["JOIN_TOKEN"], name: settings["HOSTNAME"], machine: settings["MACHINE_ID"],
                osRelease: settings["OS_RELEASE"], credential: settings.credential, bootID: bootID, kernel: "6.1",
                addresses: [address]))
        var refusals = 0
        while true {
            let answer = try? await client.call(
                .POST, "/api/v1/nodes/register", token: nil, body: body, timeout: .seconds(15))
            if let answer, answer.status == 201 {
                return try JSONDecoder().decode(NodeAdmission.self, from: answer.body).heartbeatSeconds
            }
            if let answer, (400..<500).contains(answer.status) {
                refusals += 1
                if refusals == 3 {
                    Report.say(.trouble, machine.number, "registration: \(answer.status) \(answer.text)")
                }
            }
            try await Task.sleep(for: .seconds(machine.luck.seconds(1...3) * Double(1 + min(refusals, 10))))
        }
    }

    /// - Returns: it is to restart by itself.
    private func leave() async throws -> Bool {
        while true {
            if let answer = try? await call("left", Data("{}".utf8)), answer.status == 200 {
                Report.say(.leaving, machine.number)
                return try JSONDecoder().decode(NodeInstruction.self, from: answer.body).restart
            }
            try await Task.sleep(for: .seconds(machine.luck.seconds(1...2)))
        }
    }

    private func call(_ verb: String, _ body: Data) async throws -> DaemonClient.Answer {
        try await client.call(
            .POST, "/api/v1/nodes/\(settings["HOSTNAME"])/\(verb)", token: settings.credential, body: body,
            timeout: .seconds(15))
    }
}

extension DaemonClient.Answer {
    fileprivate var text: String { String(decoding: body.prefix(200), as: UTF8.self) }
}
