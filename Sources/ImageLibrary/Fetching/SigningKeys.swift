import Foundation

/// Keys of systems' makers, as an operator gave them: a keyring `SYSTEM.gpg` each, in one folder. They are looked at whenever they are needed, and
/// `gpgv` judges by them.
public struct SigningKeys: Sendable {
    let directory: String

    public init(directory: String) { self.directory = directory }

    func path(of system: String) -> String { directory + "/" + system + ".gpg" }

    /// One that cannot be read counts: nothing is taken by it then.
    public func has(_ system: String) -> Bool { access(path(of: system), F_OK) == 0 }

    /// Looks at all that is in the folder, so that a keyring does not count for nothing because of its name.
    /// - Throws: ``FetchError`` for what is no keyring of one of these systems.
    public func check(systems: [String]) throws {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            throw FetchError(
                "\(directory), where keyrings of makers are, cannot be read: \(error.localizedDescription)")
        }
        for name in names.sorted() {
            guard let system = systems.first(where: { name == $0 + ".gpg" }) else {
                throw FetchError("\(directory)/\(name) is of no system: a keyring is called SYSTEM.gpg, as flatcar.gpg")
            }
            try checkForm(of: system)
        }
    }

    /// - Parameters:
    ///   - signature: path of what is to be a detached signature of `file`.
    /// - Returns: the fingerprint of the key that signed it.
    /// - Throws: ``FetchError``.
    func signer(of file: String, by system: String, signature: String) async throws -> String {
        try await judge(system, isDetached: true, [signature, file])
    }

    /// - Parameters:
    ///   - file: path of a text with its signature around it (RFC 9580 section 7).
    ///   - output: path that gets what was signed, without a word that stands around it.
    /// - Returns: the fingerprint of the key that signed it.
    /// - Throws: ``FetchError``.
    func signer(ofText file: String, by system: String, to output: String) async throws -> String {
        try await judge(system, isDetached: false, ["--output", output, file])
    }

    private func judge(_ system: String, isDetached: Bool, _ arguments: [String]) async throws -> String {
        try checkForm(of: system)
        let outcome = try await Tool.outcome(
            "gpgv",
            ["--keyring", path(of: system), "--weak-digest", "SHA1", "--status-fd", "1"] + arguments)
        guard outcome.status != 127 else {
            throw FetchError("signatures cannot be looked at: gpgv is not installed here")
        }
        return try SignatureVerdict(outcome.output).signer(isDetached: isDetached, keyring: path(of: system))
    }

    /// `gpgv` takes armor for a keyring without keys.
    private func checkForm(of system: String) throws {
        let path = path(of: system)
        guard let handle = FileHandle(forReadingAtPath: path), let head = try? handle.read(upToCount: 12) else {
            throw FetchError("the keyring \(path) cannot be read")
        }
        let isPackets = head.first.map { $0 & 0x80 != 0 } ?? false
        guard isPackets || head.dropFirst(8) == Data("KBXf".utf8) else {
            throw FetchError(
                "\(path) is no keyring: `gpg --dearmor <KEYS.asc >\(path)` makes one of what begins with -----BEGIN")
        }
    }
}

/// What `gpgv` says by `--status-fd` (GnuPG, doc/DETAILS). Its exit status is not enough: an expired key is fine by it, and a second signature by
/// somebody else is not.
struct SignatureVerdict {
    private let lines: [[Substring]]

    init(_ status: String) {
        lines = status.split(separator: "\n").filter { $0.hasPrefix("[GNUPG:] ") }.map {
            $0.dropFirst(9).split(separator: " ")
        }
    }

    /// - Returns: the fingerprint of the primary key of the first good signature.
    /// - Throws: ``FetchError``.
    func signer(isDetached: Bool, keyring: String) throws -> String {
        func arguments(of word: String) -> [Substring]? {
            lines.first { $0.first == word[...] }.map { Array($0.dropFirst()) }
        }
        func fault(_ reason: String) -> FetchError { FetchError("\(reason) (gpgv, by \(keyring))") }
        guard arguments(of: "BADSIG") == nil else { throw fault("its signature is of something else") }
        // Several texts in one would be signed by one signature.
        guard arguments(of: "ERROR") == nil, lines.count(where: { $0.first == "PLAINTEXT" }) == (isDetached ? 0 : 1)
        else { throw fault("it is no signature as it is expected here") }
        var isGood = false
        for line in lines {
            switch line.first {
            case "NEWSIG": isGood = false
            case "GOODSIG": isGood = true
            case "VALIDSIG" where isGood:
                if let fingerprint = line.last, line.count > 10 { return String(fingerprint) }
            default: break
            }
        }
        if let key = arguments(of: "EXPKEYSIG")?.first {
            throw fault("the key \(key) that signed it has expired: bring its makers' keys of today")
        }
        if let key = arguments(of: "REVKEYSIG")?.first { throw fault("the key \(key) that signed it was revoked") }
        if arguments(of: "EXPSIG") != nil { throw fault("its signature has expired") }
        if let key = arguments(of: "NO_PUBKEY")?.first {
            throw fault("it is signed by the key \(key), which is not among those")
        }
        if let key = arguments(of: "ERRSIG")?.first {
            throw fault("the signature of the key \(key) cannot be looked at, or is a weak one")
        }
        throw fault("it is no signature")
    }
}
