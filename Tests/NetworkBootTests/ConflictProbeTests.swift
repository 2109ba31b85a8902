import NetworkAddresses
import TestSupport
import Testing

@testable import NetworkBoot

@Suite struct ConflictProbeTests {
    @Test("an echo request is RFC 792's, and only its answer counts")
    func echo() {
        // 0800 + 1234 + 0001 = 1a35, of which the complement is e5ca.
        #expect(ConflictProbe.request(0x1234) == bytes("0800 e5ca 1234 0001"))
        let header = bytes("45000000 00000000 40010000 0a4d0032 0a4d0001")
        let reply = header + bytes("0000 0000 1234 0001")
        #expect(ConflictProbe.answerer(reply, 0x1234) == IPv4Address(10, 77, 0, 50))
        #expect(ConflictProbe.answerer(reply, 0x1235) == nil)
        #expect(ConflictProbe.answerer(header + bytes("0800 0000 1234 0001"), 0x1234) == nil)
        for count in 0..<reply.count { #expect(ConflictProbe.answerer(Array(reply[..<count]), 0x1234) == nil) }
    }

    @Test("of the ARP table only complete entries of the interface count")
    func table() {
        let table = """
            IP address       HW type     Flags       HW address            Mask     Device
            10.77.0.50       0x1         0x2         52:54:00:12:34:56     *        eth1
            10.77.0.51       0x1         0x0         00:00:00:00:00:00     *        eth1
            10.77.0.52       0x1         0x2         52:54:00:12:34:57     *        eth2
            nonsense
            """
        #expect(
            ConflictProbe.neighbours(table, on: "eth1")
                == [IPv4Address(10, 77, 0, 50): MACAddress(rawValue: 0x5254_0012_3456)])
    }
}
