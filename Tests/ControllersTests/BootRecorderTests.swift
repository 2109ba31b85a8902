import Foundation
import Machines
import NetworkAddresses
import Store
import TestSupport
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
        await daemon.kill()
        #expect(store.get(bad) == nil)
    }

    @Test("the first boot of a machine is kept, however late the index hears of it")
    func first() async throws {
        let store = MemoryStore()
        let daemon = LifecycleFlowTests.Daemon(store, keys: LifecycleFlowTests.Keys(), records: true, feeds: false)
        let session = try await LifecycleFlowTests.boot(daemon)
        let isKept = try await eventually {
            try await store.list(BootRecord.self).items.map(\.machine) == [session.machine]
        }
        #expect(isKept)
        // The index is the store's word alone: an older one put there behind its back would stay.
        #expect(daemon.controllers.director.machine(with: session.mac) == nil)
        await daemon.kill()
    }

    @Test("a neighbour that says much of its boot does not push the others out")
    func flood() async throws {
        let daemon = LifecycleFlowTests.Daemon(MemoryStore(), keys: LifecycleFlowTests.Keys())
        let time = Date(timeIntervalSince1970: 1_800_000_000)
        let (loud, quiet) = (IPv4Address(10, 0, 0, 1), IPv4Address(10, 0, 0, 2))
        let director = daemon.controllers.director
        for _ in 0..<5000 {
            director.record(BootTraceEvent(time: time, address: loud, step: .trouble(.missing(.http, "x"))))
        }
        director.record(BootTraceEvent(time: time, address: quiet, step: .script(name: "agent")))
        var heard: [IPv4Address] = []
        for await step in director.steps {
            heard.append(try #require(step.event.address))
            if step.event.address == quiet { break }
        }
        #expect(heard.count == BootDirector.perAddressAndTick + 1)
        await daemon.kill()
    }
}
