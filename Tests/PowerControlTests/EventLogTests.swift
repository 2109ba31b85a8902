import BMCSimulator
import Foundation
import Machines
import TestSupport
import Testing

@testable import PowerControl

@Suite struct EventLogTests {
    @Test("a log is followed from its last entry, and from its beginning when it was cleared")
    func log() async throws {
        // Below 20000000h it would be the time since the BMC started (§32.1).
        let start = UInt32(1_700_000_000)
        func add(_ server: SimulatedBMCServer, _ time: UInt32) {
            server.change {
                $0.eventLog.addEvent(time: start + time, sensorType: 1, sensor: 1, eventType: 1, data: [0x59, 96, 95])
            }
        }
        func time(_ number: Double) -> Date { Date(timeIntervalSince1970: Double(start) + number) }
        try await SimulatedBMCServer.with(FaultTests.bmc { _ in }) { server in
            let (controller, access) = (FaultTests.controller, FaultTests.access(server))
            var (entries, position) = try await controller.newEntries(of: access, behind: nil)
            #expect(entries.isEmpty && position.last == nil)
            for time in 1...50 as ClosedRange<UInt32> { add(server, time) }
            (entries, position) = try await controller.newEntries(of: access, behind: position)
            #expect(entries.count == 50 && entries.first?.time == time(1))
            #expect(entries.first?.source != nil && position.sensors?.isEmpty == false)
            add(server, 51)
            let before = server.bmc.commands.count
            (entries, position) = try await controller.newEntries(of: access, behind: position)
            #expect(entries.map(\.time) == [time(51)])
            // Privilege, the log's state, the last one and the new one, the end, and that of the session before.
            #expect(server.bmc.commands.count - before <= 6)
            try await controller.clearEventLog(of: access)
            add(server, 52)
            (entries, position) = try await controller.newEntries(of: access, behind: position)
            #expect(entries.last?.time == time(52) && entries.count == 2)
            (entries, position) = try await controller.newEntries(of: access, behind: position)
            #expect(entries.isEmpty)
        }
    }
}
