import Crypto
import Foundation
import Inventory
import Machines
import TestSupport
import Testing

@Suite struct WipeCertificateTests {
    static let key = Curve25519.Signing.PrivateKey()

    static func account(_ number: Int = 1) -> WipeAccount {
        var machine = Machine(
            id: "m-\(number)", name: "r1u0\(number)", observed: .init(phase: .wiping, phaseSince: .distantPast),
            createdAt: .distantPast)
        machine.observed.hardware = .sample
        // Most of these thousandths of a second are no binary fraction.
        let time = Date(timeIntervalSince1970: 1_800_000_000.123 + Double(number) * 1.237)
        let disk = DiskEvidence(
            Disk(
                path: "/dev/nvme0n1", serial: "D-\(number)", wwn: "eui.0001", model: "Drive 3000", sizeBytes: 4 << 30,
                transport: .nvme, firmware: "FW1"), method: .nvmeSanitizeBlock, startedAt: time,
            endedAt: time.addingTimeInterval(61.4),
            readBack: .init(kind: .sampled, bytes: 1 << 20, finding: "all zeros"), outcome: .erased,
            remarks: ["nvme-sanitize-crypto: the drive does not have it"])
        return WipeAccount(
            machine: machine, operation: "o-\(number)", requestedBy: "alice", approvedBy: "bob", policy: .standard,
            disks: [disk], leftAlone: [], agentVersion: "0.5", startedAt: time, endedAt: time.addingTimeInterval(63))
    }

    /// Certificates 1 to `count`.
    static func chain(_ count: Int, key: Curve25519.Signing.PrivateKey = key) throws -> [WipeCertificate] {
        var chain: [WipeCertificate] = []
        for number in 1...count {
            let statement = WipeStatement(
                account(number),
                by: .init(id: "sha256:ca", name: "lab", key: WipeCertificate.name(of: key.publicKey)),
                sequence: number, previous: chain.last?.digest, daemonVersion: "0.5",
                at: Date(timeIntervalSince1970: 1_800_000_100.001 + Double(number)))
            chain.append(try WipeCertificate(statement, with: key))
        }
        return chain
    }

    private func fault(
        _ certificates: [WipeCertificate], key: Curve25519.Signing.PublicKey = key.publicKey, isWhole: Bool = true
    ) -> CertificateFault? {
        do {
            _ = try CertificateChain.check(certificates, key: key, isWhole: isWhole)
            return nil
        } catch {
            return error
        }
    }

    @Test("a chain says what was put in, to the millisecond")
    func right() throws {
        let chain = try Self.chain(5)
        let statements = try CertificateChain.check(chain, key: Self.key.publicKey)
        #expect(statements.map(\.sequence) == [1, 2, 3, 4, 5])
        #expect(chain.map(\.id) == (1...5).map { "wipe-0000000\($0)" })
        #expect(statements[3].previous == chain[2].digest && statements[0].previous == nil)
        let disk = try #require(statements[1].disks.first)
        #expect(disk.category == .purge && disk.method == "nvme-sanitize-block" && disk.term.contains("block erase"))
        #expect(statements[1].machine.serial == "SN-1" && statements[1].approvedBy == "bob")
        #expect(
            RFC3339.format(disk.startedAt)
                == RFC3339.format(Self.account(2).startedAt))
        #expect(fault(Array(chain[2...]), isWhole: false) == nil)
        #expect(fault([]) == nil)
    }

    @Test("every field of what was signed, one at a time")
    func fields() throws {
        let certificate = try Self.chain(2)[1]
        let whole = try JSONSerialization.jsonObject(with: certificate.payload)
        let variants = altered(whole)
        #expect(variants.count > 40)
        for variant in variants {
            let payload = try JSONSerialization.data(
                withJSONObject: variant, options: [.sortedKeys, .withoutEscapingSlashes])
            #expect(payload != certificate.payload)
            let forged = WipeCertificate(id: certificate.id, payload: payload, signature: certificate.signature)
            let found = fault([forged], isWhole: false)
            var isRight = found == .badSignature(certificate.id)
            // Who alters the key's name is told of that.
            if case .otherKey = found { isRight = true }
            #expect(isRight, "\(String(decoding: payload, as: UTF8.self)): \(String(describing: found))")
        }
        // Not one bit of the bytes themselves.
        for index in stride(from: 0, to: certificate.signature.count, by: 7) {
            var signature = certificate.signature
            signature[signature.startIndex + index] ^= 1
            #expect(
                fault([.init(id: certificate.id, payload: certificate.payload, signature: signature)], isWhole: false)
                    == .badSignature(certificate.id))
        }
        #expect(
            fault([.init(id: "wipe-00000009", payload: certificate.payload, signature: certificate.signature)])
                == .otherNumber("wipe-00000009", 2))
        #expect(fault([.init(id: "x", payload: Data(), signature: Data())]) == .badSignature("x"))
    }

    /// The value with one leaf changed, or one member gone, for each of them.
    private func altered(_ value: Any) -> [Any] {
        switch value {
        case let object as [String: Any]:
            return object.keys.sorted().flatMap { key -> [Any] in
                var without = object
                without[key] = nil
                return [without]
                    + altered(object[key] as Any).map { changed in
                        var object = object
                        object[key] = changed
                        return object
                    }
            }
        case let list as [Any]:
            return [list + ["more"]]
                + list.indices.flatMap { index in
                    altered(list[index]).map { changed in
                        var list = list
                        list[index] = changed
                        return list
                    }
                }
        case let text as String: return [text + "x"]
        case let number as Int: return [number + 1]
        default: return []
        }
    }

    @Test("certificates that are missing, twice, in another order, of another chain")
    func order() throws {
        let chain = try Self.chain(5)
        #expect(fault([chain[0], chain[1], chain[3]]) == .missing(3))
        #expect(fault(Array(chain[1...])) == .missing(1))
        #expect(fault([chain[0], chain[2], chain[1]], isWhole: false) == .missing(2))
        #expect(fault([chain[1], chain[0]], isWhole: false) == .disordered(1, after: 2))
        #expect(fault([chain[0], chain[1], chain[1]]) == .twice(2))
        // The same key, and another history: a store that was set back.
        let other = try Self.chain(3)
        var statement = try other[1].statement()
        statement.operation = "o-other"
        let fork = try WipeCertificate(statement, with: Self.key)
        #expect(fault([chain[0], chain[1], fork]) == .forked(2))
        #expect(fault([chain[0], fork, chain[2]]) == .broken(2, 3))
        statement.sequence = 1
        #expect(fault([try WipeCertificate(statement, with: Self.key)]) == .broken(0, 1))
        statement.format = "slipway-wipe-certificate-v2"
        #expect(
            fault([try WipeCertificate(statement, with: Self.key)])
                == .otherFormat("wipe-00000001", "slipway-wipe-certificate-v2"))
    }

    @Test("another key, and a signature of another kind by this one")
    func keys() throws {
        let other = Curve25519.Signing.PrivateKey().publicKey
        let certificate = try Self.chain(1)[0]
        #expect(
            fault([certificate], key: other)
                == .otherKey(
                    certificate.id, named: WipeCertificate.name(of: Self.key.publicKey),
                    given: WipeCertificate.name(of: other)))
        let bare = try Self.key.signature(for: certificate.payload)
        #expect(
            fault([.init(id: certificate.id, payload: certificate.payload, signature: bare)])
                == .badSignature(certificate.id))
    }

    @Test("openssl reads the key and believes the signature")
    func openssl() async throws {
        try await withTemporaryDirectory { directory in
            let certificate = try Self.chain(1)[0]
            func file(_ name: String, _ data: Data) throws -> String {
                try data.write(to: URL(fileURLWithPath: directory + "/" + name))
                return directory + "/" + name
            }
            let pem = CertificateKey.pem(Self.key.publicKey)
            #expect(CertificateKey.read(pem)?.rawRepresentation == Self.key.publicKey.rawRepresentation)
            #expect(CertificateKey.read(pem.replacingOccurrences(of: "MCow", with: "MCox")) == nil)
            let (key, signature) = (try file("key", Data(pem.utf8)), try file("signature", certificate.signature))
            func verify(_ payload: Data) async throws -> String {
                try await ChildProcess.run(
                    "openssl",
                    [
                        "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-sigfile", signature, "-in",
                        try file("payload", WipeCertificate.domain + payload),
                    ]
                ).output
            }
            #expect(try await verify(certificate.payload).contains("Verified Successfully"))
            #expect(try await !verify(certificate.payload + [0x20]).contains("Verified Successfully"))
        }
    }

    @Test("of a disk that was not erased there is no certificate")
    func obstacles() {
        var account = Self.account()
        #expect(account.obstacle == nil)
        account.disks[0].outcome = .failed("input/output error at byte 4096")
        #expect(account.obstacle == "D-1: input/output error at byte 4096")
        account.disks[0].outcome = .erased
        account.disks[0].method = nil
        #expect(account.obstacle?.contains("D-1") == true)
        account.disks = []
        #expect(account.obstacle == "no disk was erased")
    }

    @Test("the category is that of the weakest disk; what only looks blank has none")
    func category() {
        var account = Self.account()
        func category() -> SanitizationCategory {
            WipeStatement(
                account, by: .init(id: "", name: "", key: ""), sequence: 1, previous: nil, daemonVersion: "", at: .now
            ).category
        }
        #expect(category() == .purge)
        account.disks.append(account.disks[0])
        account.disks[1].category = .clear
        #expect(category() == .clear)
        account.disks[1].category = SanitizationCategory.none
        #expect(category() == .none)
    }

    @Test("times are written the same again")
    func times() {
        for index in 0..<2000 {
            let text = RFC3339.format(Date(timeIntervalSince1970: 1_795_000_000 + Double(index) * 1.237))
            #expect(RFC3339.date(text).map(RFC3339.format) == text)
        }
    }
}
