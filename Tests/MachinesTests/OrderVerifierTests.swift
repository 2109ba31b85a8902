import Crypto
import FoundationEssentials
import Inventory
import Machines
import NetworkAddresses
import Testing

/// Invariant 1: an order is carried out only on the machine and the disk that it names. Each test swaps one fact.
@Suite struct OrderVerifierTests {
    static let issued = Date(timeIntervalSince1970: 1_800_000_000)
    static let report = HardwareReport.sample

    static func order(_ change: (inout Order) -> Void = { _ in }) -> Order {
        var order = Order(
            id: "order-1", machine: report.facts, task: .reboot, issuedAt: issued,
            expiresAt: issued.addingTimeInterval(3600))
        change(&order)
        return order
    }

    static func refusal(_ order: Order, on report: HardwareReport = report, at seconds: Double = 10) -> OrderRefusal? {
        do {
            try OrderVerifier.check(order, on: report, now: issued.addingTimeInterval(seconds))
            return nil
        } catch {
            return error
        }
    }

    @Test("the machine it was issued for takes it")
    func accepted() { #expect(Self.refusal(Self.order()) == nil) }

    @Test("every other machine refuses it, and says which fact differed")
    func otherMachine() {
        let uuid = Self.order { $0.machine.uuid = SystemUUID("00000000-0000-0000-0000-000000000001") }
        guard case .otherMachine("uuid", _, _) = Self.refusal(uuid) else {
            Issue.record("uuid")
            return
        }
        guard case .otherMachine("uuid", _, _) = Self.refusal(Self.order { $0.machine.uuid = nil }) else {
            Issue.record("no uuid")
            return
        }
        guard case .otherMachine("serial", "SN-2", "SN-1") = Self.refusal(Self.order { $0.machine.serial = "SN-2" })
        else {
            Issue.record("serial")
            return
        }
        guard case .otherMachine("mac", _, _) = Self.refusal(Self.order { $0.machine.macs = [MACAddress(rawValue: 1)] })
        else {
            Issue.record("mac")
            return
        }
        guard case .otherMachine("mac", _, _) = Self.refusal(Self.order { $0.machine.macs = [] }) else {
            Issue.record("no mac")
            return
        }
    }

    @Test("a machine without any identity takes no order at all")
    func nameless() {
        var report = Self.report
        report.system = .init()
        report.nics = []
        let order = Self.order { $0.machine = report.facts }
        #expect(Self.refusal(order, on: report) != nil)
    }

    @Test("a BMC's USB NIC is no part of the identity, since many machines share its address")
    func usbNIC() { #expect(Self.report.facts.macs == [MACAddress(rawValue: 0x0016_3e00_0001)]) }

    @Test("an order from the past or the future is refused")
    func time() {
        #expect(Self.refusal(Self.order(), at: 3600) != nil)
        #expect(Self.refusal(Self.order(), at: -3600) != nil)
        #expect(Self.refusal(Self.order(), at: -30) == nil)
    }

    static let target = DiskTarget(serial: "D-1", wwn: "eui.0001", sizeBytes: 4 << 30)

    static func diskRefusal(_ change: (inout DiskTarget) -> Void, _ disks: [Disk] = report.disks) -> OrderRefusal? {
        var target = target
        change(&target)
        do {
            _ = try OrderVerifier.disk(target, among: disks)
            return nil
        } catch {
            return error
        }
    }

    @Test("the named disk is found, and any other fact names no disk")
    func disk() throws {
        #expect(try OrderVerifier.disk(Self.target, among: Self.report.disks).path == "/dev/nvme0n1")
        #expect(Self.diskRefusal { $0.serial = "D-2" } != nil)
        #expect(Self.diskRefusal { $0.wwn = "eui.0002" } != nil)
        #expect(Self.diskRefusal { $0.wwn = nil } != nil)
        #expect(Self.diskRefusal { $0.sizeBytes += 512 } != nil)
        #expect(
            Self.diskRefusal { $0 = DiskTarget(serial: nil, wwn: nil, path: "/dev/nvme0n1", sizeBytes: 4 << 30) } != nil
        )
    }

    @Test("two disks with the same names are no target")
    func ambiguous() {
        let twice = Self.report.disks + [Self.report.disks[0]]
        guard case .ambiguousDisk = Self.diskRefusal({ _ in }, twice) else {
            Issue.record("not refused")
            return
        }
    }

    @Test(
        "disks that are not local are never written to",
        arguments: [
            DiskTransport.fibreChannel, .iscsi, .nvmeOverFabrics, .usb, .unknown,
        ])
    func notLocal(transport: DiskTransport) {
        var disks = Self.report.disks
        disks[0].transport = transport
        guard case .untargetableDisk = Self.diskRefusal({ _ in }, disks) else {
            Issue.record("not refused")
            return
        }
    }

    @Test("removable, read-only and shared disks are never written to")
    func unfit() {
        for change in [
            { (disk: inout Disk) in disk.removable = true }, { $0.readOnly = true }, { $0.sharedBecause = "multipath" },
        ] {
            var disks = Self.report.disks
            change(&disks[0])
            guard case .untargetableDisk = Self.diskRefusal({ _ in }, disks) else {
                Issue.record("not refused")
                return
            }
        }
    }

    @Test("an order that was altered on its way, or signed by another key, is refused")
    func signature() throws {
        let key = Curve25519.Signing.PrivateKey()
        let signed = try SignedOrder(Self.order(), with: key)
        #expect(try signed.verified(by: key.publicKey) == Self.order())
        #expect(throws: OrderRefusal.badSignature) {
            try signed.verified(by: Curve25519.Signing.PrivateKey().publicKey)
        }
        for index in stride(from: 0, to: signed.payload.count, by: 3) {
            var altered = signed
            altered.payload[index] ^= 1
            #expect(throws: OrderRefusal.badSignature) { try altered.verified(by: key.publicKey) }
        }
    }
}
