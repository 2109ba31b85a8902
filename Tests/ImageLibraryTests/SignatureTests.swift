import Foundation
import Machines
import TestSupport
import Testing

@testable import ImageLibrary

/// Makers, who sign with the real gpg, and what becomes of what they publish at nginx.
@Suite(.timeLimit(.minutes(3))) struct SignatureTests {
    /// A home of gpg's with keys, and a folder of keyrings as an operator has it.
    struct Makers: Sendable {
        let directory: String
        var home: String { directory + "/gpg" }

        init(_ directory: String) throws {
            self.directory = directory
            try FileManager.default.createDirectory(
                atPath: directory + "/gpg", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try FileManager.default.createDirectory(atPath: directory + "/keys", withIntermediateDirectories: true)
        }

        /// A line for the shell, with `gpg` as one that asks nobody.
        @discardableResult func sh(_ line: String) async throws -> String {
            let gpg =
                "gpg() { command gpg --homedir \(home) --batch --yes --quiet --passphrase '' --pinentry-mode loopback \"$@\"; };"
            let run = try await ChildProcess.run("bash", ["-c", "set -e; cd \(directory); \(gpg) \(line)"])
            try #require(run.status == 0, "\(line): \(run.output)")
            return run.output
        }

        /// - Returns: the key's fingerprint.
        func key(_ name: String, _ settings: String = "") async throws -> String {
            try await sh("gpg \(settings) --quick-generate-key '\(name) <\(name)@example.org>' ed25519 sign never")
            let told = try await sh("gpg --with-colons --list-keys \(name)@example.org")
            let line = try #require(told.split(separator: "\n").first { $0.hasPrefix("fpr:") })
            return String(try #require(line.split(separator: ":").last))
        }

        /// These keys are those of the system `trial`.
        func trust(_ names: String...) async throws {
            let users = names.map { $0 + "@example.org" }.joined(separator: " ")
            try await sh("gpg --export \(users) >keys/trial.gpg")
        }

        /// The agents remove their sockets themselves as they end: a directory cannot be removed at the same time.
        func end() async {
            _ = try? await ChildProcess.run("gpgconf", ["--homedir", home, "--kill", "all"])
            _ = await eventually {
                let names = (try? FileManager.default.contentsOfDirectory(atPath: home)) ?? []
                return !names.contains { $0.hasPrefix("S.") }
            }
        }
    }

    private func withMakers(
        _ body: (Makers, ImageFetcherTests.Site, ImageFetcher, Library) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            let makers = try Makers(directory)
            let site = try ImageFetcherTests.Site(directory)
            let nginx = try await site.start()
            defer { nginx.kill() }
            let (fetcher, library) = try ImageFetcherTests.fetcher(directory)
            do {
                try await body(makers, site, fetcher, library)
            } catch {
                await makers.end()
                throw error
            }
            await makers.end()
        }
    }

    private static func refusal(_ words: String, _ body: () async throws -> some Any) async {
        do {
            _ = try await body()
            Issue.record("it was taken")
        } catch let error as FetchError {
            #expect(error.description.contains(words), "\(error)")
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test(
        "a file whose signature is no good one of the makers' is not kept, whatever its digest",
        arguments: [
            // What signs `linux`, and what is said of it; nil: it is taken.
            ("gpg -u makers@example.org --detach-sign -o linux.sig linux", nil),
            ("gpg -u makers@example.org --armor --detach-sign -o linux.sig linux", nil),
            ("gpg -u makers@example.org -u others@example.org --detach-sign -o linux.sig linux", nil),
            ("gpg -u others@example.org -u makers@example.org --detach-sign -o linux.sig linux", nil),
            (
                "cp linux other; gpg -u makers@example.org --detach-sign -o linux.sig linux; echo >>linux",
                "of something else"
            ),
            ("echo x >other; gpg -u makers@example.org --detach-sign -o linux.sig other", "of something else"),
            ("gpg -u others@example.org --detach-sign -o linux.sig linux", "not among those"),
            (
                "gpg --faked-system-time 20200201T000000 -u former@example.org --detach-sign -o linux.sig linux",
                "has expired"
            ),
            ("gpg -u revoked@example.org --detach-sign -o linux.sig linux", "was revoked"),
            ("gpg -u makers@example.org --digest-algo SHA1 --detach-sign -o linux.sig linux", "weak"),
            // A message of the makers' that brings its own text signs nothing else.
            ("echo x >other; gpg -u makers@example.org --sign -o linux.sig other", "no signature"),
            ("echo x >other; gpg -u makers@example.org --clearsign -o linux.sig other", "no signature"),
            ("echo x >linux.sig", "no signature"), (": >linux.sig", "no signature"),
            ("rm -f linux.sig", "404"), ("head -c 100000 /dev/zero >linux.sig", "KiB"),
        ] as [(String, String?)])
    func detached(command: String, words: String?) async throws {
        try await withMakers { makers, site, fetcher, library in
            let fingerprint = try await makers.key("makers")
            _ = try await makers.key("others")
            if command.contains("former") {
                let old = "--faked-system-time 20200101T000000"
                try await makers.sh(
                    "gpg \(old) --quick-generate-key 'former <former@example.org>' ed25519 sign 2020-06-01")
            }
            try await makers.sh("head -c 100000 /dev/urandom >site/linux")
            if command.contains("revoked") {
                let key = try await makers.key("revoked")
                try await makers.sh("cd site; \(command)")
                try await makers.sh("sed 's/^:-----/-----/' gpg/openpgp-revocs.d/\(key).rev | gpg --import")
            } else {
                try await makers.sh("cd site; \(command)")
            }
            try await makers.trust("makers", "former", "revoked")
            // Whoever changes a file changes its digest as well.
            let digest = try site.put("linux", Data(contentsOf: URL(filePath: site.folder + "/linux")))
            let signature = DetachedSignature(site.url + "/linux.sig", by: "trial")
            for isImage in [false, true] {
                func fetch() async throws -> FetchedFile {
                    try await fetcher.fetch(
                        site.url + "/linux", expecting: digest, signature: signature, asImage: isImage
                    ) { _, _ in }
                }
                if let words {
                    await Self.refusal(words, fetch)
                    #expect(try FileManager.default.contentsOfDirectory(atPath: library.directory) == [])
                } else {
                    #expect(try await fetch().signer == fingerprint)
                    #expect(try FileManager.default.contentsOfDirectory(atPath: library.directory) == [digest.hex])
                    // What is there already needs its signature as well.
                    #expect(try await fetch().signer == fingerprint)
                }
            }
            guard words == nil else { return }
            try await makers.sh("echo x >other; gpg -u makers@example.org --detach-sign -o site/linux.sig other")
            await Self.refusal("of something else") {
                try await fetcher.fetch(
                    site.url + "/linux", expecting: digest, signature: signature, asImage: false
                ) { _, _ in }
            }
        }
    }

    @Test("a list with a signature beside it")
    func lists() async throws {
        try await withMakers { makers, site, fetcher, _ in
            let fingerprint = try await makers.key("makers")
            try await makers.trust("makers")
            try await makers.sh("cd site; echo 'abc  linux' >SUMS; gpg --detach-sign -o SUMS.gpg SUMS")
            let signature = TextSignature.detached(DetachedSignature(site.url + "/SUMS.gpg", by: "trial"))
            let text = try await fetcher.text(at: site.url + "/SUMS", limit: 1000, signature: signature)
            #expect(text == FetchedText("abc  linux\n", signer: fingerprint))
            try await makers.sh("cd site; echo 'def  linux' >SUMS")
            await Self.refusal("of something else") {
                try await fetcher.text(at: site.url + "/SUMS", limit: 1000, signature: signature)
            }
        }
    }

    @Test(
        "of a text with its signature around it only what was signed is taken",
        arguments: [
            ("gpg --clearsign -o T t", "- a\nabc  linux"),
            // Its makers say nothing of what stands around it.
            ("gpg --clearsign -o S t; (echo 'evil  linux'; cat S; echo 'evil  linux') >T", "- a\nabc  linux"),
            ("gpg --clearsign -o S t; sed 's/abc/def/' S >T", nil),
            ("gpg --clearsign -o S t; (cat S; cat S | sed s/abc/def/) >T", nil),
            ("gpg --clearsign -o S t; echo evil >e; gpg -u others@example.org --clearsign -o E e; cat S E >T", nil),
            ("gpg --clearsign -o S t; echo evil >e; gpg -u others@example.org --clearsign -o E e; cat E S >T", nil),
            ("gpg --clearsign -o S t; echo evil >e; gpg --store -o E e; cat E S >T", nil),
            ("gpg -u others@example.org --clearsign -o T t", nil),
            ("gpg --detach-sign -o T t", nil), ("cp t T", nil), (": >T", nil),
        ] as [(String, String?)])
    func clear(command: String, signed: String?) async throws {
        try await withMakers { makers, site, fetcher, library in
            let fingerprint = try await makers.key("makers")
            _ = try await makers.key("others")
            try await makers.trust("makers")
            try await makers.sh("cd site; printf -- '- a\\nabc  linux\\n' >t; \(command)")
            func text() async throws -> FetchedText {
                try await fetcher.text(at: site.url + "/T", limit: 10_000, signature: .clear(by: "trial"))
            }
            if let signed {
                let text = try await text()
                #expect(text.text.trimmingCharacters(in: .newlines) == signed && text.signer == fingerprint)
            } else {
                await Self.refusal("nothing was kept", text)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: library.directory) == [])
        }
    }

    @Test("keyrings that would count for nothing are told")
    func keyrings() async throws {
        try await withMakers { makers, site, fetcher, _ in
            _ = try await makers.key("makers")
            let keys = SigningKeys(directory: makers.directory + "/keys")
            #expect(!keys.has("trial") && !fetcher.hasKeys(of: "trial"))
            #expect(throws: Never.self) { try keys.check(systems: ["trial"]) }
            try await makers.sh("cd site; echo x >t; gpg --detach-sign -o t.sig t")
            func text() async throws -> FetchedText {
                try await fetcher.text(
                    at: site.url + "/t", limit: 10, signature: .detached(.init(site.url + "/t.sig", by: "trial")))
            }
            await Self.refusal("cannot be read", text)
            // As keys are published.
            try await makers.sh("gpg --armor --export makers@example.org >keys/trial.gpg")
            #expect(keys.has("trial"))
            #expect(throws: FetchError.self) { try keys.check(systems: ["trial"]) }
            await Self.refusal("gpg --dearmor", text)
            try await makers.sh("mv keys/trial.gpg trial.asc; gpg --dearmor <trial.asc >keys/trial.gpg")
            #expect(throws: Never.self) { try keys.check(systems: ["trial"]) }
            #expect(try await text().text == "x\n")
            // A keybox, as gpg itself has.
            try await makers.sh("cp gpg/pubring.kbx keys/trial.gpg")
            #expect(throws: Never.self) { try keys.check(systems: ["trial"]) }
            #expect(try await text().text == "x\n")
            #expect(throws: FetchError.self) { try keys.check(systems: ["another"]) }
            #expect(throws: FetchError.self) { try SigningKeys(directory: "/nowhere").check(systems: []) }
        }
    }
}
