import APIClient
import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import Commands

@Suite struct ContextTests {
    private func store(_ directory: String, _ more: [String: String] = [:]) -> (ContextStore, [String: String]) {
        let environment = ["XDG_CONFIG_HOME": directory].merging(more) { $1 }
        return (ContextStore(environment), environment)
    }

    private func mode(_ path: String) throws -> Int {
        (try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue ?? -1
    }

    @Test("contexts are added, chosen, replaced and removed; their files are nobody else's to read")
    func life() async throws {
        try await withTemporaryDirectory { directory in
            let (store, environment) = store(directory)
            #expect(try store.load(nil, environment).context == ContextFile())
            let lab = ContextFile(server: "https://lab:8443", token: "secret-1", ca: "/ca.pem")
            try store.add("lab", lab, replace: false)
            try store.add("prod", ContextFile(server: "https://prod:8443", token: "secret-2"), replace: false)
            #expect(throws: (any Error).self) { try store.add("lab", lab, replace: false) }
            #expect(try mode(store.path("lab")) == 0o600 && mode(directory + "/slipway/contexts") == 0o700)
            #expect(try store.names() == ["lab", "prod"])
            try store.use("lab")
            #expect(try store.load(nil, environment).context == lab)
            #expect(try store.load("prod", environment).context.token == "secret-2")
            try store.add("lab", ContextFile(server: "https://new:8443"), replace: true)
            #expect(try store.context("lab").token == nil)
            #expect(throws: (any Error).self) { try store.use("nowhere") }
            try store.remove("lab")
            #expect(try store.names() == ["prod"] && store.current == nil)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: directory + "/slipway/contexts") == ["prod.json"])
        }
    }

    @Test("context.json works as it always did, and SLIPWAY_CONTEXT names a file or a context")
    func plain() async throws {
        try await withTemporaryDirectory { directory in
            let (store, environment) = store(directory)
            try FileManager.default.createDirectory(atPath: directory + "/slipway", withIntermediateDirectories: true)
            try #"{"server":"https://one:8443","token":"t"}"#.write(
                toFile: directory + "/slipway/context.json", atomically: true, encoding: .utf8)
            #expect(try store.load(nil, environment).context.server == "https://one:8443")
            #expect(try store.names() == ["default"])
            try #"{"server":"https://file:8443"}"#.write(
                toFile: directory + "/x.json", atomically: true, encoding: .utf8)
            let byFile = environment.merging(["SLIPWAY_CONTEXT": directory + "/x.json"]) { $1 }
            #expect(try store.load(nil, byFile).context.server == "https://file:8443")
            try store.add("lab", ContextFile(server: "https://lab:8443"), replace: false)
            try store.use("lab")
            #expect(try store.load(nil, environment).context.server == "https://lab:8443")
            let byName = environment.merging(["SLIPWAY_CONTEXT": "default"]) { $1 }
            #expect(try store.load(nil, byName).context.server == "https://one:8443")
            #expect(try store.load("default", byFile).context.server == "https://one:8443")
        }
    }

    @Test("options go before the environment, and that before the context; a named context is taken whole")
    func precedence() async throws {
        try await withTemporaryDirectory { directory in
            let more = ["SLIPWAY_SERVER": "https://env:8443", "SLIPWAY_TOKEN": "env-token"]
            let (store, environment) = store(directory, more)
            try store.add(
                "lab", ContextFile(server: "https://lab:8443/", token: "lab-token", ca: "/ca"), replace: false)
            try store.use("lab")
            let plain = try ConnectionOptions.parse([]).access(environment)
            #expect(
                plain.server == "https://env:8443" && plain.token == "env-token" && plain.certificateAuthority == "/ca")
            let named = try ConnectionOptions.parse(["--context", "lab"]).access(environment)
            #expect(named.server == "https://lab:8443" && named.token == "lab-token")
            let option = try ConnectionOptions.parse(["--server", "https://x:1"]).access(environment)
            #expect(option.server == "https://x:1" && option.token == "env-token")
            let error = #expect(throws: (any Error).self) {
                try ConnectionOptions.parse(["--context", "no"]).access(environment)
            }
            #expect("\(error.map { "\($0)" } ?? "")".contains("there are lab"))
        }
    }

    @Test(
        "names that are paths are none",
        arguments: ["../x", "a/b", "", ".x", "-x", "a b", String(repeating: "a", count: 64)])
    func names(name: String) async throws {
        try await withTemporaryDirectory { directory in
            let (store, _) = store(directory)
            #expect(throws: (any Error).self) { try store.add(name, ContextFile(), replace: true) }
            #expect(throws: (any Error).self) { try store.context(name) }
        }
    }

    @Test("a broken file is told without what is in it")
    func broken() async throws {
        try await withTemporaryDirectory { directory in
            let (store, environment) = store(directory, ["SLIPWAY_CONTEXT": directory + "/x"])
            try #"{"token": "secret-4711", "server": 7}"#.write(
                toFile: directory + "/x", atomically: true, encoding: .utf8)
            let error = #expect(throws: (any Error).self) { try store.load(nil, environment) }
            #expect("\(error.map { "\($0)" } ?? "")".contains("cannot be read"))
            #expect(!"\(error.map { "\($0)" } ?? "")".contains("4711"))
        }
    }

    @Test("completion asks the daemon that the line names")
    func completion() throws {
        let options = Completion.connection([
            "slipway", "machine", "show", "--context", "lab", "--server=https://x:1", "n",
        ])
        #expect(options.context == "lab" && options.server == "https://x:1")
        #expect(Completion.connection(["slipway", "--context"]).context == nil)
    }
}
