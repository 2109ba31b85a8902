import Inventory
import NetworkAddresses
import Testing

@Suite struct RootDiskChoiceTests {
    static let gigabyte: Int64 = 1_000_000_000
    static let disks = [
        Disk(path: "/dev/nvme0n1", serial: "N1", sizeBytes: 800 * gigabyte, transport: .nvme),
        Disk(path: "/dev/sda", serial: "S1", sizeBytes: 240 * gigabyte, transport: .sata),
        Disk(path: "/dev/sdb", serial: "S2", wwn: "naa.5", sizeBytes: 240 * gigabyte, transport: .sata),
        Disk(path: "/dev/sdc", sizeBytes: 100 * gigabyte, transport: .sata),
        Disk(path: "/dev/sdd", serial: "U1", sizeBytes: 16 * gigabyte, transport: .usb, removable: true),
    ]

    static func choose(_ hint: RootDiskHint, minimum: Int64 = 2 * gigabyte) -> Result<String, RootDiskProblem> {
        Result { () throws(RootDiskProblem) in try RootDiskChoice.choose(hint, from: disks, minimumBytes: minimum).path
        }
    }

    @Test(
        "a hint leads to one disk",
        arguments: [
            (RootDiskHint(serial: "s2"), "/dev/sdb"), (RootDiskHint(wwn: "naa.5"), "/dev/sdb"),
            (RootDiskHint(transports: [.nvme]), "/dev/nvme0n1"),
            (RootDiskHint(choose: .largest), "/dev/nvme0n1"), (RootDiskHint(path: "/dev/sdc"), "/dev/sdc"),
            (RootDiskHint(minimumBytes: 500 * gigabyte), "/dev/nvme0n1"),
        ])
    func chosen(hint: RootDiskHint, path: String) { #expect(Self.choose(hint) == .success(path)) }

    @Test("there is no first disk: two that fit alike are an error that names both")
    func ambiguous() {
        guard case .failure(.ambiguous(let found)) = Self.choose(RootDiskHint(choose: .smallest)) else {
            Issue.record("chosen")
            return
        }
        #expect(found.count == 2)
        guard case .failure(.ambiguous) = Self.choose(RootDiskHint()) else {
            Issue.record("chosen")
            return
        }
    }

    @Test("what cannot be said is said why")
    func problems() {
        guard case .failure(.noneMatches(let hint, _)) = Self.choose(RootDiskHint(serial: "X")) else {
            Issue.record("chosen")
            return
        }
        #expect(hint == "serial X")
        guard case .failure(.untargetable) = Self.choose(RootDiskHint(serial: "U1")) else {
            Issue.record("chosen")
            return
        }
        guard case .failure(.tooSmall) = Self.choose(RootDiskHint(serial: "S1"), minimum: 500 * Self.gigabyte) else {
            Issue.record("chosen")
            return
        }
        guard
            case .failure(.nameless) = Self.choose(
                RootDiskHint(maximumBytes: 200 * Self.gigabyte, rotational: false), minimum: 50 * Self.gigabyte)
        else {
            Issue.record("chosen")
            return
        }
    }
}

@Suite struct SystemUUIDTests {
    @Test("SMBIOS bytes and text are the same UUID (DSP0134 §7.2.1)")
    func text() throws {
        let bytes: [UInt8] = [
            0x44, 0x45, 0x4c, 0x4c, 0x42, 0x00, 0x10, 0x35, 0x80, 0x52, 0xb4, 0xc0, 0x4f, 0x4e, 0x31, 0x32,
        ]
        let uuid = try #require(SystemUUID(smbios: bytes))
        #expect(uuid.description == "4c4c4544-0042-3510-8052-b4c04f4e3132")
        #expect(SystemUUID(uuid.description) == uuid)
        #expect(uuid.swapped.description == "44454c4c-4200-1035-8052-b4c04f4e3132")
        #expect(uuid.isSame(as: uuid.swapped))
    }

    @Test("zero and all ones tell nothing")
    func meaningless() throws {
        #expect(try #require(SystemUUID("00000000-0000-0000-0000-000000000000")).isMeaningful == false)
        #expect(try #require(SystemUUID("ffffffff-ffff-ffff-ffff-ffffffffffff")).isMeaningful == false)
    }

    @Test(
        "what is no UUID is none",
        arguments: ["", "x", "4c4c4544-0042-3510-8052-b4c04f4e313", "zc4c4544-0042-3510-8052-b4c04f4e3132"])
    func none(text: String) { #expect(SystemUUID(text) == nil) }
}
