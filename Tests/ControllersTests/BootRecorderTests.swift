import Foundation
import Machines
import NetworkAddresses
import Store
import Testing

@testable import Controllers

@Suite struct BootRecorderTests {
    @Test("a trace that cannot be read any more goes, and the others are there")
    func unreadable() async throws {
        let store = MemoryStore()
        let mac = MACAddress(rawValue: 0x5254_0000_0001)
        var habits = BootHabits()
        for _ in 0..<2 { habits.note(BootTraceEvent(mac: mac, step: .script(name: "local-disk-exit"))) }
        let good = BootRecord(
            machine: "m-1", traces: [BootTrace(mac: mac, at: Date(timeIntervalSince1970: 7))], habits: habits)
        try await store.transaction { try $0.put(good) }
        let bad = RecordKey(kind: BootRecord.kind, id: "52:54:00:00:00:02")
        _ = try store.commit([
            .put(bad, Array(#"{"id":"52:54:00:00:00:02","traces":"of another version"}"#.utf8), expecting: .absent)
        ])
        let daemon = LifecycleFlowTests.Daemon(store, keys: LifecycleFlowTests.Keys())
        #expect(try await daemon.controllers.recorder.kept() == [good])
        daemon.kill()
        #expect(store.get(bad) == nil)
    }
}
