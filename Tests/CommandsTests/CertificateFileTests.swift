import APIModel
import Crypto
import Foundation
import Inventory
import Machines
import Testing

@testable import Commands

/// What `slipway certificate verify` says of files.
@Suite struct CertificateFileTests {
    private let key = Curve25519.Signing.PrivateKey()

    private func views(_ count: Int) throws -> [CertificateView] {
        var previous: String?
        return try (1...count).map { number in
            let machine = Machine(
                id: "m", name: "r1", observed: .init(phase: .wiping, phaseSince: .now), createdAt: .now)
            let disk = DiskEvidence(
                Disk(path: "/dev/sda", serial: "D", sizeBytes: 1 << 30, transport: .sata), method: .overwrite,
                startedAt: .now, endedAt: .now, readBack: nil, outcome: .erased)
            let account = WipeAccount(
                machine: machine, operation: "o", requestedBy: "alice", policy: .standard, disks: [disk], leftAlone: [],
                agentVersion: "1", startedAt: .now, endedAt: .now)
            let statement = WipeStatement(
                account, by: .init(id: "i", name: "lab", key: WipeCertificate.name(of: key.publicKey)),
                sequence: number, previous: previous, daemonVersion: "1", at: .now)
            let certificate = try WipeCertificate(statement, with: key)
            previous = certificate.digest
            // As it comes out of a file.
            let text = try CertificateFile.text(try CertificateView(certificate))
            return try APICoding.decoder.decode(CertificateView.self, from: Data(text.utf8))
        }
    }

    private func reason(_ views: [CertificateView?], isPartial: Bool = false) -> String? {
        do {
            _ = try CertificateFile.check(
                views.map { ("file", $0) }, key: key.publicKey, isPartial: isPartial)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test("in whatever order; one by itself; some of them")
    func right() throws {
        let views = try views(5)
        #expect(reason(views.reversed()) == nil)
        #expect(reason([views[3]]) == nil)
        #expect(reason([views[1], views[2], views[4]], isPartial: true) == nil)
        #expect(reason([views[1], views[2], views[4]]) == "certificate 1 is missing")
        #expect(reason([views[0], views[1], views[3]]) == "certificate 3 is missing")
        #expect(reason([views[1], views[1]], isPartial: true) == "certificate 2 is there twice")
        #expect(reason([]) == "there is no certificate")
        #expect(reason([views[0], nil]) == "file is no wipe certificate")
    }

    @Test("a readable part that says something else than was signed")
    func contradictions() throws {
        let view = try views(1)[0]
        func altered(_ change: (inout CertificateView) -> Void) -> String? {
            var view = view
            change(&view)
            return reason([view])
        }
        #expect(
            altered { $0.statement.machine.name = "r2" }
                == "file: it was altered: its readable part is not what was signed")
        #expect(altered { $0.statement.sequence = 2 } != nil)
        #expect(altered { $0.statement.disks[0].serial = "E" } != nil)
        #expect(altered { $0.statement.issuedAt += 0.001 } != nil)
        #expect(
            altered { $0.digest = "0" } == "file: it was altered: its digest is not that of its payload and signature")
        #expect(altered { $0.id = "wipe-00000002" } != nil)
        #expect(altered { $0.payload[20] ^= 1 }?.contains("the signature is wrong") == true)
        #expect(altered { $0.signature[3] ^= 1 }?.contains("the signature is wrong") == true)
    }
}
