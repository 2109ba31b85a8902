import Controllers
import Crypto
import Foundation
import Inventory
import Logging
import Machines
import Store
import Testing

@Suite struct CertificateBookTests {
    private func book(_ store: any RecordStore) -> CertificateBook {
        ControllerSet(
            store: store, installation: LifecycleFlowTests.installation(LifecycleFlowTests.Keys()),
            profiles: .init([]), bmcs: LifecycleFlowTests.NoPower(), prober: LifecycleFlowTests.NoBMCs(),
            images: LifecycleFlowTests.AllImages(),
            cluster: LifecycleFlowTests.NoCluster(), logger: .init(label: "test"), now: { Date() }
        ).certificates
    }

    private func account(_ number: Int, _ outcome: DiskEvidence.Outcome = .erased) -> WipeAccount {
        let machine = Machine(
            id: "m-\(number % 3)", name: "r1u\(number % 3)", observed: .init(phase: .wiping, phaseSince: Date()),
            createdAt: Date())
        let disk = Disk(path: "/dev/sda", serial: "D-\(number)", sizeBytes: 8 << 30, transport: .sata)
        return WipeAccount(
            machine: machine, operation: "o-\(number)", requestedBy: "alice", policy: .standard,
            disks: [
                DiskEvidence(
                    disk, method: .overwrite, startedAt: Date(), endedAt: Date(), readBack: nil, outcome: outcome)
            ], leftAlone: [.init(disk: disk, reason: "it is kept")], agentVersion: "1", startedAt: Date(),
            endedAt: Date())
    }

    private func issue(_ book: CertificateBook, _ store: any RecordStore, _ account: WipeAccount) async throws {
        try await store.transaction(attempts: CertificateBook.attempts) { transaction in
            _ = try await book.issue(account, by: "lifecycle", daemonVersion: "1", in: transaction)
        }
    }

    @Test("forty wipes that end at once have forty numbers and one chain")
    func atOnce() async throws {
        let store = MemoryStore()
        let book = book(store)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<40 { group.addTask { try await issue(book, store, account(number)) } }
            try await group.waitForAll()
        }
        let statements = try CertificateChain.check(try await book.certificates(), key: book.publicKey)
        #expect(statements.map(\.sequence) == Array(1...40))
        #expect(Set(statements.map(\.operation)).count == 40)
        #expect(statements.allSatisfy { $0.leftAlone.first?.reason == "it is kept" })
        #expect(try await book.certificates(of: "m-1").count == 13)
        #expect(try await store.list(Event.self).items.filter { $0.type == .certificateIssued }.count == 40)
        #expect(try await book.certificate("7").id == "wipe-00000007")
        await #expect(throws: ServiceError.self) { try await book.certificate("41") }
    }

    @Test("two transactions that read the head at the same time: one of them begins again")
    func race() async throws {
        let store = MemoryStore()
        let book = book(store)
        var isFirst = true
        try await store.transaction { transaction in
            let certificate = try await book.issue(account(1), by: "a", daemonVersion: "1", in: transaction)
            if isFirst {
                isFirst = false
                // While this one is not committed yet, another takes its number.
                try await issue(book, store, account(2))
                #expect(certificate.id == "wipe-00000001")
            } else {
                #expect(certificate.id == "wipe-00000002")
            }
        }
        let statements = try CertificateChain.check(try await book.certificates(), key: book.publicKey)
        #expect(statements.map(\.operation) == ["o-2", "o-1"])
    }

    @Test("a failed wipe has no certificate, and leaves the chain as it is")
    func failed() async throws {
        let store = MemoryStore()
        let book = book(store)
        try await issue(book, store, account(1))
        await #expect(throws: CertificateBook.Refusal.self) {
            try await issue(book, store, account(2, .failed("read-only")))
        }
        try await issue(book, store, account(3))
        let statements = try CertificateChain.check(try await book.certificates(), key: book.publicKey)
        #expect(statements.map(\.operation) == ["o-1", "o-3"])
    }
}
