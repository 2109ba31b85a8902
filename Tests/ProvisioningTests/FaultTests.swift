import Foundation
import TestSupport
import Testing

/// Faults on the way to a node: the machine fails with the reason, and its disk never boots.
@Suite struct FaultTests {
    /// From power-on to an order for the trial release.
    private func provision(_ server: TrialServer, packed: Bool = true) async throws -> ChildProcess {
        let installation = server.installation
        try await installation.addReleaseAndCluster(TrialImage.make(in: installation.directory, packed: packed))
        let agent = try await server.bootAgent()
        try #require(await agent.says("hardware reported"), "\(agent.output)")
        try await installation.slipway("machine", "accept", server.mac, "--name", "trial")
        return agent
    }

    private func headOfDisk(_ server: TrialServer) throws -> Data {
        let handle = try #require(FileHandle(forReadingAtPath: server.disk))
        return try handle.read(upToCount: 1 << 20) ?? Data()
    }

    @Test("an image that is not what was added is not left bootable", arguments: [true, false])
    func checksum(packed: Bool) async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            let agent = try await provision(server, packed: packed)
            defer { agent.kill() }
            let images = installation.directory + "/state/images"
            let stored = try #require(try FileManager.default.contentsOfDirectory(atPath: images).first)
            let handle = try #require(FileHandle(forUpdatingAtPath: images + "/" + stored))
            let end = try handle.seekToEnd()
            try handle.seek(toOffset: end - 1000)
            try handle.write(contentsOf: Data(repeating: 0x5a, count: 8))
            try handle.close()
            try await installation.slipway("machine", "provision", "trial", "--cluster", "lab", "--os", "trial-1")
            #expect(try await installation.reaches("failed", "trial"))
            let reason = try await installation.field("failure", of: "trial") ?? ""
            #expect(reason.contains("SHA-256") || (packed && reason.contains("zstd")), "\(reason)")
            #expect(try headOfDisk(server).allSatisfy { $0 == 0 })
        }
    }

    @Test("no disk is large enough")
    func smallDisk() async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation, diskMebibytes: 64)
            try server.report(diskSerial: "SMALL", diskMebibytes: 64)
            let agent = try await provision(server)
            defer { agent.kill() }
            let (status, output) = try await installation.cli([
                "machine", "provision", "trial", "--cluster", "lab", "--os", "trial-1", "--wait", "--timeout", "30",
            ])
            #expect(status == 1)
            #expect(output.contains("no disk matches") && output.contains("SMALL"), "\(output)")
            #expect(try await installation.field("phase", of: "trial") == "failed")
        }
    }

    @Test("an order for a disk that is not there any more is refused, and that is seen")
    func swappedDisk() async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            let agent = try await provision(server)
            defer { agent.kill() }
            try server.report(diskSerial: "ANOTHER-DISK")
            try await installation.slipway("machine", "provision", "trial", "--cluster", "lab", "--os", "trial-1")
            #expect(await agent.says("refused"), "\(agent.output)")
            #expect(try await installation.reaches("failed", "trial"))
            let reason = try await installation.field("failure", of: "trial") ?? ""
            #expect(reason.contains("TRIAL-DISK"), "\(reason)")
            #expect(try headOfDisk(server).allSatisfy { $0 == 0 })
        }
    }

    @Test("a full disk is told with what is missing, and the release is not there", .enabled(if: getuid() == 0))
    func diskFull() async throws {
        try await Installation.with(imageMebibytes: 14) { installation in
            let large = try await TrialImage.make(in: installation.directory)
            let (status, output) = try await installation.cli(["os", "add", large, "--name", "large"])
            #expect(status == 1)
            #expect(output.contains("no space left for images"), "\(output)")
            #expect(try await !installation.slipway("os", "list").contains("large"))
            // What had been written is gone, so that there is room for what fits.
            let small = try await TrialImage.make(in: installation.directory, mebibytes: 16)
            try await installation.slipway("os", "add", small, "--name", "small")
            #expect(try await installation.slipway("os", "list").contains("small"))
        }
    }

    @Test("a second daemon does not touch the first one's store or ports")
    func locked() async throws {
        try await Installation.with { installation in
            let file = installation.directory + "/slipwayd.yaml"
            let slipwayd = Installation.programs + "/slipwayd"
            let second = try await ChildProcess.run(slipwayd, ["--config", file])
            #expect(second.status == 1)
            #expect(second.output.contains("in use by another slipwayd"), "\(second.output)")
            let text = try String(contentsOfFile: file, encoding: .utf8)
                .replacingOccurrences(of: "/state\n", with: "/state-2\n")
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            let third = try await ChildProcess.run(slipwayd, ["--config", file])
            #expect(third.status == 1)
            // Whichever of its sockets comes first.
            let words = ["cannot listen on \(installation.address):", "is taken on \(installation.address);"]
            #expect(words.contains { third.output.contains($0) }, "\(third.output)")
            // One of many sockets is enough, though the others are open by then.
            try (text + "boot_port: 8088\napi_port: 8449\n").write(toFile: file, atomically: true, encoding: .utf8)
            let fourth = try await ChildProcess.run(slipwayd, ["--config", file])
            #expect(fourth.status == 1)
            #expect(fourth.output.contains("UDP port 6969 is taken on \(installation.address)"), "\(fourth.output)")
            try await installation.slipway("machine", "list")
        }
    }

    @Test(
        "a configuration that is wrong is told with its line, and nothing starts",
        arguments: [
            ("boot_prt: 3", "did you mean boot_port?"), ("api_port: 99999", "a whole number from 1 to 65535"),
            ("agent_image: /nonexistent", "agent_image: /nonexistent has no vmlinuz"),
            ("agent_image_arm64: /nonexistent", "agent_image_arm64: /nonexistent has no vmlinuz"),
            ("deny_macs: [b8]", "b8 is not the beginning of a MAC address such as b8:ca:3a"),
            ("boot_programs: {6: ia32.efi}", "/usr/lib/ipxe has no ia32.efi"),
            ("boot_programs: {15: ia32.efi}", "15 boots by HTTP; say 6, which is for both"),
            ("boot_programs: {x64: ia32.efi}", "x64 is not a number of option 93"),
            ("boot_files: /nonexistent", "boot_files: /nonexistent has no undionly.kpxe"),
            ("hardware_profiles: /nonexistent", "/nonexistent: cannot list the directory"),
            ("dhcp: {interface: lo, mode: pool}", "dhcp: expected a list, each item after a `-`"),
            ("dhcp: [{interface: lo}]", "mode is missing"),
            ("dhcpv6: [{mode: all}]", "all is not one of address, stateless"),
            ("dhcpv6: [{mode: address, prefix: \"fd00::1/64\"}]", "fd00::1/64 is not 64 bits such as fd00:77::/64"),
            ("dhcpv6: [{mode: address, prefix: \"fd00::/64\"}]", "server is missing"),
            (
                "dhcpv6: [{mode: address, prefix: \"fd00::/64\", server: \"fe80::1\"}]",
                "dhcpv6: fd00::/64: server fe80::1 is no address that a URL can name"
            ),
            ("dhcp: [{interface: lo, mode: full}]", "full is not one of proxy, pool, reservation, auto, off"),
            ("dhcp: [{interface: lo, mode: pool}]", "dhcp: lo: mode pool needs `subnet`"),
            ("dhcp: [{interface: lo, mode: pool, subnet: 10.1.0.1/24}]", "10.1.0.1/24 is not a subnet"),
            ("dhcp: [{subnet: 10.1.0.0/24, mode: pool, pools: [10.1.0.9]}]", "10.1.0.9 is not a range"),
            (
                "dhcp: [{subnet: 10.1.0.0/24, mode: auto, reservations: [{address: 10.1.0.9}]}]",
                "10.1.0.9 is for a mac or a client_id"
            ),
        ])
    func configuration(line: String, words: String) async throws {
        try await Installation.with { installation in
            let file = installation.directory + "/other.yaml"
            let key = line.prefix { $0 != ":" } + ":"
            let text = try String(contentsOfFile: installation.directory + "/slipwayd.yaml", encoding: .utf8)
            let kept = text.split(separator: "\n").filter { !$0.hasPrefix(key) }
            try (kept + [line[...]]).joined(separator: "\n").write(toFile: file, atomically: true, encoding: .utf8)
            let answer = try await ChildProcess.run(Installation.programs + "/slipwayd", ["--config", file, "--check"])
            #expect(answer.status == 1)
            #expect(answer.output.contains(words), "\(answer.output)")
        }
    }

    @Test("SIGTERM ends the daemon well, and secrets are not in its log")
    func stops() async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            let agent = try await provision(server)
            agent.kill()
            #expect(await installation.stop() == 0, "\(installation.log)")
            #expect(!installation.log.contains("Error"), "\(installation.log)")
            let token = try String(contentsOfFile: installation.directory + "/state/admin.token", encoding: .utf8)
            #expect(!installation.log.contains(token.trimmingCharacters(in: .newlines)))
            #expect(!installation.log.contains("PrivateKey") && !installation.log.contains("CERTIFICATE"))
        }
    }
}
