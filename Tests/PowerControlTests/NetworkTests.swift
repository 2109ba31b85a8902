import BMCSimulator
import Machines
import NetworkAddresses
import TestSupport
import Testing

@testable import PowerControl

/// The LAN of a BMC, by which it is talked to.
@Suite struct NetworkTests {
    private static let netmask = IPv4Address(255, 0, 0, 0)

    /// One that knows itself at the address by which it is asked.
    private static func bmc() -> SimulatedBMC {
        FaultTests.bmc { $0.lan.merge([3: [127, 0, 0, 1], 4: [1], 6: [255, 0, 0, 0], 12: [0, 0, 0, 0]]) { $1 } }
    }

    private func failure(_ body: () async throws -> Void) async -> BMCError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? BMCError
        }
    }

    @Test("a BMC that gets another address is found there, and the lock on its LAN is released")
    func followed() async throws {
        try await SimulatedBMCServer.with(Self.bmc()) { server in
            let access = FaultTests.access(server)
            let before = try await FaultTests.controller.network(of: access)
            #expect(before.summary == "127.0.0.1 255.0.0.0, fixed" && before.mac != nil)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    let isSet = await eventually { server.bmc.lan[3] == [127, 0, 0, 2] }
                    #expect(isSet)
                    try await server.move(to: "127.0.0.2")
                }
                let after = try await FaultTests.controller.setNetwork(
                    .fixed(.init(127, 0, 0, 2), netmask: Self.netmask, gateway: .init(127, 0, 0, 9)), on: access)
                #expect(after.summary == "127.0.0.2 255.0.0.0 via 127.0.0.9, fixed")
                try await group.waitForAll()
            }
            #expect(server.bmc.lan[0] == [0])
        }
    }

    @Test("one that is not found any more is told, with its MAC and what to do")
    func lost() async throws {
        try await SimulatedBMCServer.with(Self.bmc()) { server in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    let isSet = await eventually { server.bmc.lan[4] == [2] }
                    #expect(isSet)
                    try await server.move(to: "127.0.0.3")
                }
                let error = await failure {
                    _ = try await FaultTests.controller.setNetwork(
                        .dhcp, on: FaultTests.access(server, settle: .seconds(1)))
                }
                #expect(error?.reason == .outcomeUnknown, "\(error.map { "\($0)" } ?? "")")
                #expect(
                    error?.detail.contains("52:54:00:bb:00:01") == true && error?.detail.contains("bmc set") == true)
                try await group.waitForAll()
            }
        }
    }

    @Test("one that says the new address and stays where it is is told as such")
    func stays() async throws {
        try await SimulatedBMCServer.with(Self.bmc()) { server in
            let error = await failure {
                _ = try await FaultTests.controller.setNetwork(
                    .fixed(.init(127, 0, 0, 2), netmask: Self.netmask, gateway: nil),
                    on: FaultTests.access(server, settle: .seconds(1)))
            }
            #expect(error?.reason == .notDone && error?.detail.contains("it answers at 127.0.0.1") == true)
        }
    }

    @Test("an address at which another BMC answers is not taken, and what is so already is not written")
    func untouched() async throws {
        try await SimulatedBMCServer.with(Self.bmc()) { server in
            let before = server.bmc.lan
            try await SimulatedBMCServer.with(Self.bmc(), address: "127.0.0.2", port: server.port) { _ in
                let error = await failure {
                    _ = try await FaultTests.controller.setNetwork(
                        .fixed(.init(127, 0, 0, 2), netmask: Self.netmask, gateway: nil), on: FaultTests.access(server))
                }
                #expect(error?.reason == .refused && error?.detail.contains("127.0.0.2 already") == true)
            }
            _ = try await FaultTests.controller.setNetwork(
                .fixed(.init(127, 0, 0, 1), netmask: Self.netmask, gateway: nil), on: FaultTests.access(server))
            #expect(server.bmc.lan == before && !server.bmc.commands.contains { $0.starts(with: [0x0c, 0x01]) })
        }
    }

    @Test(
        "what nobody could be reached with",
        arguments: [
            ("10.0.0.9", "255.0.255.0", nil, "netmask"), ("10.0.0.9", "0.0.0.0", nil, "netmask"),
            ("10.0.0.255", "255.255.255.0", nil, "address"), ("224.0.0.1", "255.255.255.0", nil, "address"),
            ("10.0.0.9", "255.255.255.0", "10.0.1.1", "gateway"), ("10.0.0.9", "255.255.255.0", "10.0.0.9", "gateway"),
            ("10.0.0.9", "255.255.255.0", "10.0.0.1", nil), ("10.0.0.9", "255.255.255.255", nil, nil),
        ] as [(String, String, String?, String?)])
    func faults(address: String, netmask: String, gateway: String?, field: String?) throws {
        let setting = BMCNetworkSetting.fixed(
            try #require(IPv4Address(address)), netmask: try #require(IPv4Address(netmask)),
            gateway: gateway.flatMap { IPv4Address($0) })
        #expect(setting.fault?.field == field)
    }
}
