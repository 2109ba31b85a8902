import Foundation
import Synchronization
import TestSupport
import Testing

/// A daemon of its own, as a process, on a loopback address of its own; told what to do by the CLI.
final class Installation: Sendable {
    let directory: String
    let address: String
    /// The words that run a command in the daemon's namespaces.
    private let enter: [String]
    private let namespace: String?
    private let daemon = Mutex<ChildProcess?>(nil)

    /// All of 127/8 is this host: tests that run side by side never share an address, and so no port.
    private static let count = Mutex(0)

    static let project = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    /// Where the build leaves the programs, beside the test bundle that runs.
    static let programs = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .path

    static func with(
        namespace: String? = nil, address: String? = nil, configuration: String = "", profiles: String? = nil,
        imageMebibytes: Int? = nil, _ body: (Installation) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            let installation = try Installation(
                directory, namespace, address, configuration, profiles, imageMebibytes)
            defer { installation.kill() }
            try await installation.start()
            try await body(installation)
            let log = installation.log
            #expect(!log.contains("Fatal error"), "the daemon crashed:\n\(log)")
        }
    }

    private init(
        _ directory: String, _ namespace: String?, _ address: String?, _ configuration: String, _ profiles: String?,
        _ imageMebibytes: Int?
    ) throws {
        (self.directory, self.namespace) = (directory, namespace)
        // A file system of that size for the images, in a mount namespace that ends with the daemon.
        let small = imageMebibytes.map { size in
            [
                "unshare", "--mount", "sh", "-ec",
                "mkdir -p $0 && mount -t tmpfs -o size=\(size)m none $0 && exec \"$@\"", directory + "/state/images",
            ]
        }
        enter = (namespace.map { ["ip", "netns", "exec", $0] } ?? []) + (small ?? [])
        let number = Self.count.withLock { count in
            count += 1
            return count
        }
        let process = ProcessInfo.processInfo.processIdentifier
        self.address = address ?? "127.\(1 + process >> 8 & 0x7f).\(process & 0xff).\(number)"
        try FileManager.default.createDirectory(atPath: directory + "/agent", withIntermediateDirectories: true)
        for file in ["vmlinuz", "initrd"] {
            try Data("x".utf8).write(to: URL(fileURLWithPath: "\(directory)/agent/\(file)"))
        }
        try """
        state_directory: \(directory)/state
        address: \(self.address)
        tftp_port: 6969
        hardware_profiles: \(profiles ?? Self.project + "/hardware-profiles")
        ipxe_scripts: \(Self.project)/ipxe-scripts
        agent_image: \(directory)/agent
        heartbeat_seconds: 1
        \(configuration)
        """.write(toFile: directory + "/slipwayd.yaml", atomically: true, encoding: .utf8)
    }

    var bootURL: String { "http://\(address):8080" }
    var log: String { daemon.withLock { $0?.output } ?? "" }

    /// Returns when the daemon answers.
    func start() async throws {
        // Everything that the daemon can say is said, so that tests see what would be told.
        let command =
            enter + [
                Self.programs + "/slipwayd", "--log-level", "debug", "--config", directory + "/slipwayd.yaml",
            ]
        let child = try ChildProcess(command[0], Array(command.dropFirst()))
        daemon.withLock { $0 = child }
        let listens = await child.says("listening on \(address):8443")
        let boots = await child.says("boot HTTP")
        try #require(listens && boots, "slipwayd did not start:\n\(child.output)")
    }

    /// `kill -9`.
    func kill() { daemon.withLock { $0 }?.kill() }

    /// SIGTERM, as a service manager ends it. The exit status.
    func stop() async -> Int32? {
        guard let child = daemon.withLock({ $0 }) else { return nil }
        Foundation.kill(child.pid, SIGTERM)
        return await child.ended(within: .seconds(20))
    }

    /// Memory of the daemon.
    var residentKibibytes: Int? {
        let status = daemon.withLock { $0 }.flatMap {
            try? String(contentsOfFile: "/proc/\($0.pid)/status", encoding: .utf8)
        }
        let line = status?.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }

    /// The sum of a metric's lines.
    func metric(_ name: String) async throws -> Double {
        let token = try String(contentsOfFile: directory + "/state/admin.token", encoding: .utf8)
        let command =
            enter + ["curl", "--silent", "--cacert", directory + "/state/ca.pem"]
            + ["--header", "Authorization: Bearer " + token.trimmingCharacters(in: .whitespacesAndNewlines)]
            + ["https://\(address):8443/metrics"]
        let page = try await ChildProcess.run(command[0], Array(command.dropFirst())).output
        return page.split(separator: "\n").filter { $0.hasPrefix(name + " ") || $0.hasPrefix(name + "{") }
            .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
    }

    /// What a command of the CLI says.
    @discardableResult func slipway(_ arguments: String...) async throws -> String {
        try await slipway(arguments: arguments)
    }

    @discardableResult func slipway(arguments: [String]) async throws -> String {
        let (status, output) = try await cli(arguments)
        try #require(status == 0, "slipway \(arguments.joined(separator: " ")):\n\(output)\n\(log)")
        return output
    }

    func cli(_ arguments: [String]) async throws -> (status: Int32?, output: String) {
        let child = try background(arguments)
        let status = await child.ended()
        return (status, child.output)
    }

    /// A command of the CLI that goes on.
    func background(_ arguments: [String]) throws -> ChildProcess {
        let token = try String(contentsOfFile: directory + "/state/admin.token", encoding: .utf8)
        let command =
            (namespace.map { ["ip", "netns", "exec", $0] } ?? []) + [Self.programs + "/slipway"] + arguments
        return try ChildProcess(
            command[0], Array(command.dropFirst()),
            environment: [
                "SLIPWAY_SERVER": "https://\(address):8443", "SLIPWAY_CA": directory + "/state/ca.pem",
                "SLIPWAY_TOKEN": token.trimmingCharacters(in: .whitespacesAndNewlines),
            ])
    }

    /// One field of `machine show --format json`.
    func field(_ name: String, of machine: String) async throws -> String? {
        let text = try await slipway("machine", "show", machine, "--format", "json")
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        return object?[name] as? String
    }

    /// Waits until a machine is in a phase.
    func reaches(_ phase: String, _ machine: String) async throws -> Bool {
        try await eventually(within: .seconds(120), every: .milliseconds(100)) {
            try await field("phase", of: machine) == phase
        }
    }

    /// Adds a release and a cluster.
    func addReleaseAndCluster(_ release: String) async throws {
        try await slipway("os", "add", release, "--name", "trial-1")
        try await slipway("cluster", "add", "lab", "--kind", "standalone")
    }
}
