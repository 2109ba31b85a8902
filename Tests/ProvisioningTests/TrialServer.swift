import Foundation
import Inventory
import NetworkAddresses
import TestSupport
import Testing

/// A server whose firmware and installed system are this code, and whose agent is the real program on a machine of files.
struct TrialServer {
    let installation: Installation
    let directory: String
    let mac: String
    let uuid: String
    let serial: String
    /// The network namespace that it is in; nil: the test's.
    var namespace: String?

    init(
        _ installation: Installation, mac: String = "52:54:00:00:00:01", serial: String = "TRIAL-1",
        diskMebibytes: Int = 4096
    )
        throws
    {
        (self.installation, self.mac, self.serial) = (installation, mac, serial)
        directory = installation.directory + "/server-" + mac.filter { $0 != ":" }
        uuid = "4c4c4544-0000-1000-8000-" + mac.filter { $0 != ":" }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try report(diskSerial: "TRIAL-DISK")
        try Data().write(to: URL(fileURLWithPath: disk))
        let handle = try #require(FileHandle(forWritingAtPath: disk))
        try handle.truncate(atOffset: UInt64(diskMebibytes) << 20)
        try handle.close()
    }

    var disk: String { directory + "/disk.raw" }

    /// Says what hardware there is; the disk's size is that of its file.
    func report(diskSerial: String, diskMebibytes: Int64 = 4096) throws {
        let report = HardwareReport(
            system: .init(manufacturer: "Slipway", product: "Trial", serial: serial, uuid: SystemUUID(uuid)),
            firmware: .init(kind: .uefi), processor: .init(architecture: "amd64", sockets: 1, cores: 2, threads: 2),
            memory: .init(installedBytes: 1 << 30),
            disks: [
                Disk(path: "disk.raw", serial: diskSerial, sizeBytes: diskMebibytes << 20, transport: .nvme)
            ],
            nics: [
                NIC(
                    name: "eth0", mac: try #require(MACAddress(mac)), permanentMAC: MACAddress(mac), driver: "trial",
                    pciAddress: "0000:00:03.0", linkUp: true)
            ], hasBMC: false, bootID: "")
        try JSONEncoder().encode(report).write(to: URL(fileURLWithPath: directory + "/hardware.json"))
    }

    /// What iPXE would be told now.
    func script() async throws -> String {
        let url = "\(installation.bootURL)/boot/ipxe?mac=\(mac)&arch=7&uuid=\(uuid.filter { $0 != "-" })"
        let command = entered(["curl", "--silent", "--show-error", "--fail", url])
        return try await ChildProcess.run(command[0], Array(command.dropFirst())).output
    }

    /// Power-on: firmware, iPXE, and the agent with the kernel arguments that the script gives it.
    func bootAgent() async throws -> ChildProcess {
        let script = try await script()
        let kernel = try #require(
            script.split(separator: "\n").first { $0.hasPrefix("kernel ") }, "no agent in:\n\(script)")
        let words = kernel.split(separator: " ").dropFirst(2).prefix { $0 != "||" }
        let command = entered(
            [Installation.programs + "/slipway-agent", "--simulate", directory] + words.map(String.init))
        return try ChildProcess(command[0], Array(command.dropFirst()))
    }

    /// A command as it is run where the machine is.
    private func entered(_ command: [String]) -> [String] {
        (namespace.map { ["ip", "netns", "exec", $0] } ?? []) + command
    }

    /// The whole way: added, accepted, provisioned, installed and registered, as the machine `trial`.
    /// - Parameter accept: further options of `machine accept`.
    /// - Returns: the agent, which has ended.
    @discardableResult func becomeNode(accept options: [String] = []) async throws -> ChildProcess {
        try await installation.addReleaseAndCluster(TrialImage.make(in: installation.directory))
        let agent = try await bootAgent()
        defer { agent.kill() }
        try #require(await agent.says("hardware reported"), "\(agent.output)")
        try await installation.slipway(arguments: ["machine", "accept", mac, "--name", "trial"] + options)
        try await installation.slipway("machine", "provision", "trial", "--cluster", "lab", "--os", "trial-1")
        #expect(await agent.ended() == 0, "\(agent.output)")
        #expect(try await register())
        #expect(try await heartbeat() == "204")
        return agent
    }

    /// The settings that the agent left on the state partition.
    func settings() throws -> [String: String] {
        let text = try String(contentsOfFile: directory + "/slipway-state/slipway/machine.conf", encoding: .utf8)
        return Dictionary(
            text.split(separator: "\n").compactMap { line in
                let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
                return parts.count == 2 ? (parts[0], parts[1]) : nil
            }, uniquingKeysWith: { $1 })
    }

    static let credential = String(repeating: "c", count: 64)

    /// The installed system's first act, until it is answered.
    func register() async throws -> Bool {
        try await eventually(within: .seconds(30), every: .milliseconds(100)) {
            try await registration(credential: Self.credential) == "201"
        }
    }

    /// The status that one try to register is answered with.
    func registration(credential: String) async throws -> String {
        let settings = try settings()
        let body = """
            {"token":"\(settings["JOIN_TOKEN"] ?? "")","name":"\(settings["HOSTNAME"] ?? "")",
            "machine":"\(settings["MACHINE_ID"] ?? "")","osRelease":"\(settings["OS_RELEASE"] ?? "")",
            "credential":"\(credential)","bootID":"first","kernel":"6.1","addresses":["\(installation.address)"]}
            """
        return try await post("/api/v1/nodes/register", body, bearer: nil)
    }

    /// The status that a heartbeat is answered with.
    func heartbeat(credential: String = credential) async throws -> String {
        let node = try settings()["HOSTNAME"] ?? ""
        return try await post(
            "/api/v1/nodes/\(node)/heartbeat", #"{"bootID":"first","osRelease":"trial-1","slot":"A"}"#,
            bearer: credential)
    }

    /// What a heartbeat is answered with.
    func beat(leaving: String? = nil) async throws -> String {
        let node = try settings()["HOSTNAME"] ?? ""
        let leaving = leaving.map { #","leaving":"\#($0)""# } ?? ""
        return try await post(
            "/api/v1/nodes/\(node)/heartbeat", #"{"bootID":"first","osRelease":"trial-1","slot":"A"\#(leaving)}"#,
            bearer: Self.credential, answer: "-")
    }

    /// The installed system has no work any more: what that is answered with.
    func left() async throws -> String {
        let node = try settings()["HOSTNAME"] ?? ""
        return try await post("/api/v1/nodes/\(node)/left", "", bearer: Self.credential, answer: "-")
    }

    private func post(
        _ path: String, _ body: String, bearer: String?, answer: String = "/dev/null"
    ) async throws -> String {
        var arguments = [
            "--silent", "--output", answer, "--write-out", "%{http_code}", "--max-time", "10", "--cacert",
            directory + "/slipway-state/slipway/ca.pem", "--header", "Content-Type: application/json", "--data", body,
        ]
        if let bearer { arguments += ["--header", "Authorization: Bearer \(bearer)"] }
        return try await ChildProcess.run("curl", arguments + ["https://\(installation.address):8443\(path)"]).output
    }
}
