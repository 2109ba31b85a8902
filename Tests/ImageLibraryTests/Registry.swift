import Crypto
import Foundation
import Machines
import TestSupport
import Testing

/// Docker's own registry, and skopeo, who puts artifacts into it.
struct Registry: Sendable {
    let directory: String
    let port: Int
    var store: String { directory + "/store/docker/registry/v2/blobs/sha256" }

    init(_ directory: String) { (self.directory, port) = (directory, FreePort.tcp()) }

    /// - Parameter authentication: lines of its configuration.
    func start(authentication: String = "") async throws -> ChildProcess {
        try """
        version: 0.1
        log: {level: warn}
        storage: {filesystem: {rootdirectory: \(directory)/store}}
        http: {addr: "127.0.0.1:\(port)"}
        \(authentication)
        """.write(toFile: directory + "/registry.yml", atomically: true, encoding: .utf8)
        let child = try ChildProcess("docker-registry", ["serve", directory + "/registry.yml"])
        let answers = await eventually {
            (try? await ChildProcess.run("curl", ["--silent", "http://127.0.0.1:\(port)/v2/"]))?.status == 0
        }
        try #require(answers, "\(child.output)")
        return child
    }

    static func digest(_ data: Data) -> String {
        SHA256.hash(data: data).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// An image layout (OCI image specification, "Image Layout") on its way to the registry.
    struct Layout {
        let directory: String

        init(_ directory: String) throws {
            self.directory = directory
            try FileManager.default.createDirectory(
                atPath: directory + "/blobs/sha256", withIntermediateDirectories: true)
            try Data(#"{"imageLayoutVersion":"1.0.0"}"#.utf8).write(to: URL(filePath: directory + "/oci-layout"))
        }

        /// - Returns: its descriptor.
        func blob(_ data: Data, type: String, _ more: [String: Any] = [:]) throws -> [String: Any] {
            let digest = Registry.digest(data)
            try data.write(to: URL(filePath: "\(directory)/blobs/sha256/\(digest)"))
            return ["digest": "sha256:" + digest, "size": data.count, "mediaType": type].merging(more) { $1 }
        }

        func manifest(
            _ files: [(title: String?, content: Data)], config: String = "application/vnd.example.boot",
            _ more: [String: Any] = [:]
        ) throws -> [String: Any] {
            let layers = try files.map { title, content in
                let annotations = title.map { ["annotations": ["org.opencontainers.image.title": $0]] }
                return try blob(content, type: "application/octet-stream", annotations ?? [:])
            }
            let content: [String: Any] = [
                "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": try blob(Data("{}".utf8), type: config), "layers": layers,
            ]
            return try blob(
                try JSONSerialization.data(withJSONObject: content),
                type: "application/vnd.oci.image.manifest.v1+json", more)
        }

        func index(_ manifests: [[String: Any]]) throws -> [String: Any] {
            let content: [String: Any] = [
                "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": manifests,
            ]
            return try blob(
                try JSONSerialization.data(withJSONObject: content), type: "application/vnd.oci.image.index.v1+json")
        }
    }

    /// - Returns: the digest by which the registry knows it, as skopeo says.
    func push(_ what: [String: Any], of layout: Layout, as name: String) async throws -> String {
        let index: [String: Any] = ["schemaVersion": 2, "manifests": [what]]
        try JSONSerialization.data(withJSONObject: index).write(to: URL(filePath: layout.directory + "/index.json"))
        let file = layout.directory + "/digest"
        let run = try await ChildProcess.run(
            "skopeo",
            [
                "--insecure-policy", "copy", "--all", "--preserve-digests", "--dest-tls-verify=false", "--digestfile",
                file,
                "oci:" + layout.directory, "docker://127.0.0.1:\(port)/\(name)",
            ])
        try #require(run.status == 0, "\(run.output)")
        let digest = try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(digest == what["digest"] as? String)
        return digest
    }

    /// What the registry's disk has instead of something now.
    func spoil(_ digest: String, with content: Data) throws {
        let hex = digest.dropFirst("sha256:".count)
        try content.write(to: URL(filePath: "\(store)/\(hex.prefix(2))/\(hex)/data"))
    }

    /// A token that everybody gets who asks for one, in a file that a server can hand out, and what the registry is told to believe it (Docker
    /// Registry v2, "Token Authentication Implementation").
    func token(for repository: String, realm: String, in file: String) async throws -> String {
        let run = try await ChildProcess.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tokens", "-keyout",
                directory + "/token.key", "-out", directory + "/token.pem",
            ])
        try #require(run.status == 0, "\(run.output)")
        func encoded(_ data: Data) -> String {
            data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        }
        func part(_ value: [String: Any]) throws -> String {
            encoded(try JSONSerialization.data(withJSONObject: value))
        }
        let certificate = try String(contentsOfFile: directory + "/token.pem", encoding: .utf8).split(separator: "\n")
            .filter { !$0.hasPrefix("-----") }.joined()
        let now = Int(Date().timeIntervalSince1970)
        let claims: [String: Any] = [
            "iss": "tests", "sub": "", "aud": "registry", "exp": now + 3600, "nbf": now - 60, "iat": now - 60,
            "jti": "1",
            "access": [["type": "repository", "name": repository, "actions": ["pull"]]],
        ]
        let signed = try part(["typ": "JWT", "alg": "RS256", "x5c": [certificate]]) + "." + part(claims)
        try Data(signed.utf8).write(to: URL(filePath: directory + "/token.txt"))
        let signing = try await ChildProcess.run(
            "openssl",
            [
                "dgst", "-sha256", "-sign", directory + "/token.key", "-out", directory + "/token.sig",
                directory + "/token.txt",
            ])
        try #require(signing.status == 0, "\(signing.output)")
        let signature = encoded(try Data(contentsOf: URL(filePath: directory + "/token.sig")))
        try Data("{\"token\": \"\(signed).\(signature)\"}".utf8).write(to: URL(filePath: file))
        return """
            auth: {token: {realm: "\(realm)", service: registry, issuer: tests, rootcertbundle: \(directory)/token.pem}}
            """
    }
}
