import DHCP
import NetworkAddresses
import TestSupport
import Testing

@Suite struct PXEOptionsTests {
    @Test("each option of PXE 2.1 §2.2.3 to bytes and back")
    func roundTrip() {
        let server = PXEOptions.ServerType(rawValue: 0x8000)
        let options = PXEOptions(
            discoveryControl: [.noBroadcast, .noMulticast, .listedServersOnly],
            bootServers: [.init(type: server, addresses: [IPv4Address(10, 77, 0, 1), IPv4Address(10, 77, 0, 2)])],
            bootMenu: [.init(type: server, text: "Slipway")], prompt: .init(seconds: 0, text: "go"),
            bootItem: .init(type: server, layer: 0))
        let encoded = bytes(
            "06 01 07 08 0b 8000 02 0a4d0001 0a4d0002 09 0a 8000 07 536c6970776179 0a 03 00 676f 47 04 8000 0000 ff")
        #expect(options.encoded == encoded)
        #expect(PXEOptions(encoded) == options)
    }

    @Test("what does not fit counts as absent, and nothing traps")
    func damaged() {
        #expect(PXEOptions(bytes("06 01 08 ff")).discoveryControl == [.bootFileInOffer])
        for damaged in ["06 09 08", "06 02 0808 ff", "08 05 8000 02 0a4d ff", "0a 00 ff", "47 03 800000 ff", "06", ""] {
            #expect(PXEOptions(bytes(damaged)) == PXEOptions(), "\(damaged)")
        }
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<10_000 {
            let length = Int.random(in: 0..<64, using: &generator)
            let random = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            _ = PXEOptions(random).encoded
        }
    }
}
