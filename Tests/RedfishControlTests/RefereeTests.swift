import Foundation
import RedfishSimulator
import TestSupport
import Testing

/// The simulator against clients that others wrote: what they agree on, ours may be tested with.
@Suite struct RedfishRefereeTests {
    @Test("curl: TLS, sessions, entity tags")
    func curl() async throws {
        let authority = try SimulatorCertificate.Authority()
        let certificate = try authority.issue(address: [127, 0, 0, 1])
        let service = SimulatedRedfish(quirks: [.requiresIfMatch])
        try await RedfishSimulatorServer.with(service, certificate: certificate) { server async throws in
            try await withTemporaryDirectory { directory in
                let pem = directory + "/ca.pem"
                try authority.pem.write(toFile: pem, atomically: true, encoding: .utf8)
                func curl(_ path: String, _ words: String...) async throws -> (head: [String], body: String) {
                    let arguments = ["-sS", "-i", "--max-time", "10", "--noproxy", "*", "--cacert", pem]
                    let answer = try await ChildProcess.run(
                        "curl", arguments + words + ["https://127.0.0.1:\(server.port)\(path)"])
                    #expect(answer.status == 0, "\(answer.output)")
                    let lines = answer.output.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map {
                        $0.trimmingCharacters(in: .whitespacesAndNewlines)
                    }
                    let end = lines.firstIndex(of: "") ?? lines.endIndex
                    return (Array(lines[..<end]), lines[end...].joined())
                }
                func value(_ name: String, in head: [String]) -> String {
                    let line = head.first { $0.lowercased().hasPrefix(name.lowercased() + ":") } ?? ""
                    return line.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces)
                }
                #expect(try await curl("/redfish/v1/").body.contains("\"RedfishVersion\":\"1.17.0\""))
                #expect(try await curl("/redfish/v1").head[0].contains("301"))
                #expect(try await curl("/redfish/v1/Systems").head[0].contains("401"))
                let login = try await curl(
                    "/redfish/v1/SessionService/Sessions", "-H", "Content-Type: application/json", "-d",
                    #"{"UserName":"operator","Password":"not-a-default"}"#)
                #expect(login.head[0].contains("201"))
                let token = "X-Auth-Token: " + value("X-Auth-Token", in: login.head)
                let system = try await curl("/redfish/v1/Systems/1", "-H", token)
                let tag = value("ETag", in: system.head)
                #expect(system.head[0].contains("200") && tag.hasPrefix("\""))
                let body = #"{"Boot":{"BootSourceOverrideEnabled":"Once","BootSourceOverrideTarget":"Pxe"}}"#
                let rows = [(nil, "428"), ("\"old\"", "412"), (tag, "204"), (tag, "412")] as [(String?, String)]
                for (given, status) in rows {
                    let headers = given.map { ["-H", "If-Match: \($0)"] } ?? []
                    let words =
                        ["-X", "PATCH", "-H", token, "-H", "Content-Type: application/json", "-d", body] + headers
                    let answer = try await ChildProcess.run(
                        "curl",
                        ["-sS", "-o", "/dev/null", "-w", "%{http_code}", "--noproxy", "*", "--cacert", pem] + words + [
                            "https://127.0.0.1:\(server.port)/redfish/v1/Systems/1"
                        ])
                    #expect(answer.output == status)
                }
                #expect(
                    try await curl(value("Location", in: login.head), "-X", "DELETE", "-H", token).head[0].contains(
                        "204"))
                #expect(try await curl("/redfish/v1/Systems/1", "-H", token).head[0].contains("401"))
            }
        }
    }

    @Test("sushy: power, boot override, virtual media, in sessions")
    func sushy() async throws {
        let script = """
            import sys, sushy
            from sushy import auth
            port = sys.argv[1]
            conn = sushy.Sushy("https://127.0.0.1:%s/redfish/v1" % port, verify=False,
                               auth=auth.SessionAuth("operator", "not-a-default"))
            system = conn.get_system("/redfish/v1/Systems/1")
            print("power", system.power_state.value, system.uuid)
            system.reset_system(sushy.RESET_ON)
            system.refresh(force=True)
            print("power", system.power_state.value)
            print("allowed", sorted(v.value for v in system.get_allowed_reset_system_values()))
            system.set_system_boot_options(sushy.BOOT_SOURCE_TARGET_PXE, enabled=sushy.BOOT_SOURCE_ENABLED_ONCE,
                                           mode=sushy.BOOT_SOURCE_MODE_UEFI)
            system.refresh(force=True)
            print("boot", system.boot.target.value, system.boot.enabled.value, system.boot.mode.value)
            disc = [m for m in system.virtual_media.get_members() if sushy.VIRTUAL_MEDIA_CD in m.media_types][0]
            disc.insert_media("http://10.0.0.1/x.iso")
            disc.refresh(force=True)
            print("media", disc.inserted, disc.image)
            disc.eject_media()
            disc.refresh(force=True)
            print("media", disc.inserted)
            print("secure boot", system.secure_boot.enabled)
            """
        for quirks in [[], [.requiresIfMatch], [.weakETags, .chunked]] as [Set<Quirk>] {
            try await RedfishSimulatorServer.with(SimulatedRedfish(quirks: quirks)) { server async throws in
                let answer = try await ChildProcess.run(
                    PythonPeer.path("python"), ["-c", script, "\(server.port)"], environment: PythonPeer.environment)
                #expect(answer.status == 0, "\(answer.output)")
                for line in [
                    "power Off 38947555", "power On", "boot Pxe Once UEFI", "media True http://10.0.0.1/x.iso",
                    "media False",
                    "secure boot True", "'ForceOff'",
                ] { #expect(answer.output.contains(line), "\(line): \(answer.output)") }
                #expect(server.service.done == ["On", "boot Pxe Once UEFI", "insert http://10.0.0.1/x.iso", "eject"])
            }
        }
    }

    @Test(
        "redfishtool of DMTF: power and boot override, with basic authentication and in a session",
        arguments: ["Basic", "Session"])
    func redfishtool(authentication: String) async throws {
        try await RedfishSimulatorServer.with(SimulatedRedfish()) { server async throws in
            func tool(_ words: String...) async throws -> (status: Int32?, output: String) {
                try await ChildProcess.run(
                    PythonPeer.path("redfishtool"),
                    [
                        "-r", "127.0.0.1:\(server.port)", "-u", "operator", "-p", "not-a-default", "-A", authentication,
                        "-S",
                        "Always", "-n",
                    ] + words, environment: PythonPeer.environment)
            }
            let on = try await tool("Systems", "-F", "reset", "On")
            #expect(on.status == 0, "\(on.output)")
            let boot = try await tool("Systems", "-F", "setBootOverride", "Once", "Pxe")
            #expect(boot.status == 0, "\(boot.output)")
            #expect(server.service.done == ["On", "boot Pxe Once UEFI"])
            let state = try await tool("Systems", "-F", "get")
            #expect(state.output.contains("\"PowerState\": \"On\"") && state.output.contains("Pxe"), "\(state.output)")
        }
    }
}
