import Crypto
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import TPM

/// The hash of the endorsement key: beside tpm2-tools on one TPM, and of TPMs that do not do as they should.
@Suite struct EndorsementKeyTests {
    /// The key that tpm2-tools make, by its TPM name: `000b`, then the hash.
    private func name(_ tpm: SoftwareTPM, _ algorithm: String) async throws -> String {
        try await tpm.tool("tpm2_createek", "-c", tpm.path("ek.ctx"), "-G", algorithm, "-u", tpm.path("ek.pub"))
        try await tpm.tool("tpm2_readpublic", "-c", tpm.path("ek.ctx"), "-n", tpm.path("ek.name"))
        try await tpm.tool("tpm2_flushcontext", "-t")
        return try tpm.hexadecimal("ek.name")
    }

    @Test("the same key as tpm2-tools make, again and again, and nothing is left in the TPM")
    func peer() async throws {
        try await SoftwareTPM.with { tpm in
            let hash = try #require(EndorsementKey.hash(of: tpm))
            #expect("000b" + hash == (try await name(tpm, "ecc")))
            #expect(EndorsementKey.hash(of: tpm) == hash)
            for kind in ["handles-transient", "handles-persistent", "handles-loaded-session"] {
                #expect(try await tpm.tool("tpm2_getcap", kind) == "", "\(kind)")
            }
        }
    }

    @Test("no two TPMs have one key")
    func others() async throws {
        try await SoftwareTPM.with { one in
            try await SoftwareTPM.with { other in
                let (first, second) = (EndorsementKey.hash(of: one), EndorsementKey.hash(of: other))
                #expect(first != nil && second != nil && first != second)
            }
        }
    }

    /// A TPM that does not know the curve.
    struct WithoutECC: TPMTransport {
        let tpm: SoftwareTPM

        func exchange(_ command: [UInt8]) -> [UInt8]? {
            let template = EndorsementKey.Template.ecc.head
            guard command.indices.contains(where: { command[$0...].starts(with: template) }) else {
                return tpm.exchange(command)
            }
            // TPM_RC_CURVE of the second parameter.
            return [0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x02, 0xe6]
        }
    }

    @Test("a TPM without the curve makes the RSA key, which is that of tpm2-tools too")
    func rsa() async throws {
        try await SoftwareTPM.with { tpm in
            let hash = try #require(EndorsementKey.hash(of: WithoutECC(tpm: tpm)))
            #expect("000b" + hash == (try await name(tpm, "rsa")))
        }
    }

    @Test("a hierarchy with a password is not guessed at; a key that was left for all to read is the same one")
    func owned() async throws {
        try await SoftwareTPM.with { tpm in
            let hash = EndorsementKey.hash(of: tpm)
            try await tpm.tool("tpm2_changeauth", "-c", "endorsement", "secret")
            for _ in 0..<40 { #expect(EndorsementKey.hash(of: tpm) == nil) }
            // Of another kind: no answer is better than another name for one TPM.
            try await tpm.tool(
                "tpm2_createek", "-P", "secret", "-c", "0x81010001", "-G", "rsa", "-u", tpm.path("rsa.pub"))
            #expect(EndorsementKey.hash(of: tpm) == nil)
            try await tpm.tool(
                "tpm2_createek", "-P", "secret", "-c", "0x81010002", "-G", "ecc", "-u", tpm.path("ecc.pub"))
            #expect(hash != nil && EndorsementKey.hash(of: tpm) == hash)
            // Nothing was guessed so often that the TPM locked its owner out.
            let variables = try await tpm.tool("tpm2_getcap", "properties-variable")
            #expect(variables.contains("inLockout:                 0"), "\(variables)")
        }
    }

    @Test("a hierarchy that is disabled tells nothing")
    func disabled() async throws {
        try await SoftwareTPM.with { tpm in
            try await tpm.tool("tpm2_hierarchycontrol", "-C", "p", "ehEnable", "clear")
            #expect(EndorsementKey.hash(of: tpm) == nil)
        }
    }

    /// Answers by a rule, and counts what it is asked.
    final class Scripted: TPMTransport {
        let answer: @Sendable ([UInt8]) -> [UInt8]?
        let count = Mutex(0)

        init(_ answer: @escaping @Sendable ([UInt8]) -> [UInt8]?) { self.answer = answer }

        func exchange(_ command: [UInt8]) -> [UInt8]? {
            count.withLock { $0 += 1 }
            return answer(command)
        }
    }

    /// TPM2_CreatePrimary's answer for a key.
    static func created(_ area: [UInt8], name: [UInt8]? = nil) -> [UInt8] {
        let name = name ?? [0x00, 0x0b] + Array(SHA256.hash(data: area))
        func sized(_ bytes: [UInt8]) -> [UInt8] { TPMCommand.half(UInt16(bytes.count)) + bytes }
        let parameters =
            sized(area) + sized([1, 2, 3]) + sized([4]) + [0x80, 0x21, 0x40, 0, 0, 0x0b] + sized([5]) + sized(name)
        let body = [0x80, 0, 0, 0] + TPMCommand.word(UInt32(parameters.count)) + parameters + [0, 0, 1, 0, 0]
        return [0x80, 0x02] + TPMCommand.word(UInt32(body.count + 10)) + [0, 0, 0, 0] + body
    }

    static let area = EndorsementKey.Template.ecc.head + [0, 32] + Array(1...32) + [0, 32] + Array(101...132)

    @Test(
        "a TPM that is in lockout, failing, or says something else tells nothing, and is not asked on and on",
        arguments: [
            nil, [], [0x80], Array(repeating: 0xff, count: 10), Array(repeating: 0, count: 4096),
            [0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x09, 0x21], [0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x01, 0x01],
            [0x80, 0x02, 0, 0, 0, 10, 0, 0, 0, 0], [0x80, 0x02, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
        ] as [[UInt8]?])
    func garbage(answer: [UInt8]?) {
        let tpm = Scripted { _ in answer }
        #expect(EndorsementKey.hash(of: tpm) == nil)
        #expect(tpm.count.withLock { $0 } <= 4)
    }

    @Test("a key by another template, or with a name that is not its own, is not believed")
    func liar() {
        let good = Self.created(Self.area)
        #expect(EndorsementKey.hash(of: Scripted { _ in good })?.count == 64)
        var other = Self.area
        other[7] ^= 1
        let lies = [
            Self.created(other), Self.created(Self.area + [0]), Self.created(Array(Self.area.dropLast())),
            Self.created(Self.area, name: [0x00, 0x0b] + [UInt8](repeating: 7, count: 32)),
            Self.created(Self.area, name: []), Self.created([]),
        ]
        for lie in lies { #expect(EndorsementKey.hash(of: Scripted { _ in lie }) == nil) }
    }

    @Test("no truncation and no changed byte of an answer does harm")
    func total() {
        let good = Self.created(Self.area)
        for length in 0..<good.count {
            #expect(EndorsementKey.hash(of: Scripted { _ in Array(good.prefix(length)) }) == nil)
        }
        let hash = EndorsementKey.hash(of: Scripted { _ in good })
        for index in good.indices {
            for value in [0, 0x7f, 0xff] as [UInt8] {
                var bad = good
                bad[index] = value
                let told = EndorsementKey.hash(of: Scripted { [bad] _ in bad })
                #expect(told == nil || told == hash)
            }
        }
    }

    @Test("what was made is flushed")
    func flushed() {
        let asked = Mutex<[[UInt8]]>([])
        _ = EndorsementKey.hash(
            of: Scripted { command in
                asked.withLock { $0.append(command) }
                return Self.created(Self.area)
            })
        #expect(
            asked.withLock { $0.last } == [0x80, 0x01, 0, 0, 0, 14, 0, 0, 0x01, 0x65, 0x80, 0, 0, 0])
    }
}
