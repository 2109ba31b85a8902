import IPMI
import Inventory
import Testing

@testable import AgentCore

/// What a BMC answers in-band, laid out by IPMI v2.0 (§20.1, §22.24, §23.2).
@Suite struct BMCReaderTests {
    /// Answers by network function, command and request data.
    struct Scripted: InBandBMC {
        var answers: [[UInt8]: [UInt8]]

        func send(_ request: Request) -> InBandAnswer? {
            answers[[request.function.rawValue, request.command] + request.data].map { InBandAnswer(.success, $0) }
        }
    }

    static let device: [UInt8] = [0x20, 1, 0x86, 0x10, 0x02, 0xbf, 0xa2, 0x02, 0, 0, 1, 0, 0, 0, 0]

    @Test("device, and the first channel that is a LAN")
    func whole() {
        let bmc = Scripted(answers: [
            [6, 1]: Self.device, [6, 0x42, 1]: [1, 5, 1], [6, 0x42, 2]: [2, 4, 1], [6, 0x42, 3]: [3, 4, 1],
            [0x0c, 2, 2, 3, 0, 0]: [0x11, 10, 20, 0, 50], [0x0c, 2, 2, 5, 0, 0]: [0x11, 0xb8, 0xca, 0x3a, 0, 0, 9],
            [0x0c, 2, 2, 20, 0, 0]: [0x11, 0x2a, 0x81],
        ])
        #expect(
            BMCReader(bmc: bmc).read()
                == HardwareReport.BMC(
                    firmware: "6.10", specification: "2.0", manufacturer: 674, product: 256, address: "10.20.0.50",
                    mac: "b8:ca:3a:00:00:09", vlan: 298))
    }

    @Test("a BMC without an address, without VLANs, without a LAN, and none")
    func less() {
        let bare: [[UInt8]: [UInt8]] = [
            [6, 1]: Self.device, [6, 0x42, 1]: [1, 4], [0x0c, 2, 1, 3, 0, 0]: [0x11, 0, 0, 0, 0],
            [0x0c, 2, 1, 20, 0, 0]: [0x11, 0x2a, 0x01], [0x0c, 2, 1, 5, 0, 0]: [0x11, 0, 0, 0, 0, 0, 0],
        ]
        let report = BMCReader(bmc: Scripted(answers: bare)).read()
        #expect(report?.address == nil && report?.vlan == nil && report?.mac == nil && report?.firmware == "6.10")
        #expect(BMCReader(bmc: Scripted(answers: [[6, 1]: Self.device])).read()?.address == nil)
        #expect(BMCReader(bmc: Scripted(answers: [[6, 1]: Array(Self.device.prefix(10))])).read() == nil)
        #expect(BMCReader(bmc: Scripted(answers: [:])).read() == nil)
        // IPMI 1.5 writes its halves the other way about.
        #expect(DeviceID(answer: [0x20, 1, 1, 5, 0x51, 0, 0, 0, 0, 0, 0])?.specification == "1.5")
    }
}
