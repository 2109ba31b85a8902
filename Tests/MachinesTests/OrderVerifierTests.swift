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

/// The same for wipes, which name many disks.
extension OrderVerifierTests {
    static let wipe = WipeOrder(
        disks: report.disks.map { DiskWipe(disk: DiskTarget($0), methods: [.overwrite]) }, verify: .sampled,
        extras: .init(), driveSecret: "secret")

    static func wipeOrder(_ change: (inout Order) -> Void = { _ in }) -> Order {
        order {
            $0.task = .wipe(wipe)
            change(&$0)
        }
    }

    /// What an agent checks before it touches the first disk.
    static func wipeRefusal(_ order: Order, on report: HardwareReport = report, at seconds: Double = 10)
        -> OrderRefusal?
    {
        guard case .wipe(let wipe) = order.task else { return nil }
        do {
            try OrderVerifier.check(order, on: report, now: issued.addingTimeInterval(seconds))
            for disk in wipe.disks { _ = try OrderVerifier.disk(disk.disk, among: report.disks) }
            return nil
        } catch {
            return error
        }
    }

    @Test("a wipe is taken by the machine and the disks that it names")
    func wipeAccepted() { #expect(Self.wipeRefusal(Self.wipeOrder()) == nil) }

    @Test("every fact of a wipe's machine, swapped by itself, makes it another machine's")
    func wipeFacts() {
        let changes: [(inout Order) -> Void] = [
            { $0.machine.uuid = nil }, { $0.machine.uuid = SystemUUID("00000000-0000-0000-0000-000000000001") },
            { $0.machine.serial = nil }, { $0.machine.serial = "SN-2" }, { $0.machine.macs = [] },
            { $0.machine.macs.append(MACAddress(rawValue: 2)) }, { $0.machine.macs = [MACAddress(rawValue: 2)] },
        ]
        for (index, change) in changes.enumerated() {
            guard case .otherMachine = Self.wipeRefusal(Self.wipeOrder(change)) else {
                Issue.record("change \(index) was not refused")
                continue
            }
        }
    }

    @Test("every fact of each of a wipe's disks, swapped by itself, names no disk")
    func wipeDisks() {
        for index in Self.wipe.disks.indices {
            let changes: [(inout DiskTarget) -> Void] = [
                { $0.serial = "D-9" }, { $0.serial = nil }, { $0.wwn = "eui.0009" }, { $0.sizeBytes -= 512 },
                {
                    $0 = DiskTarget(serial: nil, wwn: nil, path: Self.report.disks[index].path, sizeBytes: $0.sizeBytes)
                },
            ]
            for (number, change) in changes.enumerated() {
                var wipe = Self.wipe
                change(&wipe.disks[index].disk)
                let refusal = Self.wipeRefusal(Self.wipeOrder { $0.task = .wipe(wipe) })
                guard case .noSuchDisk = refusal else {
                    Issue.record("disk \(index), change \(number): \(String(describing: refusal))")
                    continue
                }
            }
        }
    }

    @Test("a wipe that is replayed after its time is refused, on the same machine too")
    func wipeReplayed() {
        guard case .expired = Self.wipeRefusal(Self.wipeOrder(), at: 3600) else {
            Issue.record("not refused")
            return
        }
        guard case .notYetValid = Self.wipeRefusal(Self.wipeOrder(), at: -3600) else {
            Issue.record("not refused")
            return
        }
    }

    @Test("a disk that was moved to another machine is safe there, and is missed here")
    func wipeMoved() {
        var other = Self.report
        other.system.serial = "SN-2"
        guard case .otherMachine("serial", _, _) = Self.wipeRefusal(Self.wipeOrder(), on: other) else {
            Issue.record("not refused")
            return
        }
        var poorer = Self.report
        poorer.disks.removeLast()
        guard case .noSuchDisk = Self.wipeRefusal(Self.wipeOrder(), on: poorer) else {
            Issue.record("not refused")
            return
        }
    }

    @Test("a disk that became unfit since the order was issued is refused")
    func wipeUnfit() {
        let changes: [(inout Disk) -> Void] = [
            { $0.readOnly = true }, { $0.removable = true }, { $0.sharedBecause = "multipath" },
            { $0.transport = .iscsi },
        ]
        for change in changes {
            var report = Self.report
            change(&report.disks[1])
            guard case .untargetableDisk = Self.wipeRefusal(Self.wipeOrder(), on: report) else {
                Issue.record("not refused")
                continue
            }
        }
    }
}
