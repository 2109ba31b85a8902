import Foundation
import NetworkAddresses
import TestSupport
import Testing

@testable import NetworkBoot

@Suite struct LeaseJournalTests {
    static func lease(_ last: UInt8, expires: Double = 1_800_000_000) -> Lease {
        Lease(
            mac: MACAddress(rawValue: 0x5254_0000_0000 | UInt64(last)), address: IPv4Address(10, 77, 0, last),
            expires: Date(timeIntervalSince1970: expires))
    }

    @Test("leases are there again after a restart, the newest of each machine")
    func survives() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/leases"
            do {
                let (journal, leases) = try LeaseJournal.open(path)
                #expect(leases.isEmpty)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for last in 1...50 as ClosedRange<UInt8> {
                        group.addTask { try await journal.append(Self.lease(last)) }
                    }
                    try await group.waitForAll()
                }
                try await journal.append(Self.lease(1, expires: 1_900_000_000))
            }
            let (_, again) = try LeaseJournal.open(path)
            #expect(again.count == 50)
            #expect(again[0] == Self.lease(1, expires: 1_900_000_000))
        }
    }

    @Test("a last line that a power cut tore is passed over")
    func torn() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/leases"
            let (journal, _) = try LeaseJournal.open(path)
            try await journal.append(Self.lease(7))
            let handle = try #require(FileHandle(forWritingAtPath: path))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data("{\"mac\":\"52:54:00:00:0".utf8))
            try handle.close()
            let (_, leases) = try LeaseJournal.open(path)
            #expect(leases == [Self.lease(7)])
        }
    }

    @Test("renewals do not make the file grow for ever")
    func bounded() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/leases"
            let (journal, _) = try LeaseJournal.open(path)
            for round in 0..<4 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for last in 1...3000 {
                        group.addTask {
                            try await journal.append(Self.lease(UInt8(1 + last % 20), expires: Double(last + round)))
                        }
                    }
                    try await group.waitForAll()
                }
            }
            let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count
            #expect(lines < 9000)
            try await journal.append(Self.lease(1, expires: 1_900_000_000))
            let (_, leases) = try LeaseJournal.open(path)
            #expect(leases.count == 20 && leases[0].expires.timeIntervalSince1970 == 1_900_000_000)
        }
    }

    @Test("one lease for a machine and one machine at an address, the newest")
    func table() {
        var table = LeaseTable()
        var generator = SeededGenerator(seed: 7)
        for time in 0..<2000 {
            var lease = Self.lease(UInt8.random(in: 1...40, using: &generator), expires: Double(time))
            lease.address = IPv4Address(10, 77, 0, UInt8.random(in: 1...30, using: &generator))
            table.insert(lease)
            #expect(table[lease.mac] == lease && table.lease(at: lease.address) == lease)
            if time % 7 == 0 { table.remove(lease.mac) }
            #expect(Set(table.sorted.map(\.address)).count == table.count && table.count <= 30)
        }
    }
}
