import Foundation
import Inventory
import TestSupport
import Testing

@testable import AgentCore

@Suite struct BootEntryTests {
    static let entry = EFIBootEntry(
        title: "Slipway r-1",
        partition: GPT.Entry(
            number: 2, type: Array(repeating: 1, count: 16), unique: Array(repeating: 0xab, count: 16),
            blocks: 2048...206_847, name: "ESP"),
        file: "\\EFI\\BOOT\\BOOTX64.EFI")

    @Test("an option names disk partition and file (UEFI 2.10 §3.1.3, §10.3.5)")
    func encoded() {
        let option = Self.entry.encoded
        #expect(option[0..<4] == [1, 0, 0, 0])
        #expect(EFIBootEntry.title(of: option) == "Slipway r-1")
        let path = Array(option.dropFirst(6 + 12 * 2))
        #expect(Int(option[4]) | Int(option[5]) << 8 == path.count)
        #expect(path[0..<4] == [4, 1, 42, 0])
        #expect(path[4..<24].elementsEqual(bytes("02000000 0008000000000000 0020030000000000")))
        #expect(path[40..<42] == [2, 2])
        #expect(path.suffix(4) == [0x7f, 0xff, 4, 0])
        #expect(!EFIBootEntry.isNetwork(option))
    }

    /// A PXE option as OVMF writes it: ACPI, PCI, MAC, IPv4.
    static let network: [UInt8] =
        bytes("01000000 4000") + Array("UEFI PXEv4".utf16).flatMap { [UInt8(truncatingIfNeeded: $0), 0] } + [0, 0]
        + bytes("02010c00 d041030a 00000000 01010600 0002 030b2500") + Array(repeating: 0, count: 33)
        + bytes("7fff0400")
    static let disk: [UInt8] =
        bytes("01000000 1600") + Array("UEFI disk".utf16).flatMap { [UInt8(truncatingIfNeeded: $0), 0] } + [0, 0]
        + bytes("02010c00 d041030a 00000000 01010600 0003 7fff0400")

    @Test(
        "network first: after the network entry that led here, before other network entries and disks",
        arguments: [
            (nil, [1, 2, 3, 4, 0]), (0, [1, 2, 3, 4, 0]), (1, [1, 4, 0, 2, 3]), (2, [1, 2, 4, 0, 3]),
            (3, [1, 2, 3, 4, 0]), (9, [1, 2, 3, 4, 0]),
        ] as [(UInt16?, [UInt16])])
    func networkFirst(current: UInt16?, order: [UInt16]) {
        let plan = BootOrderPlan(
            adding: Self.entry, to: [0: Self.disk, 1: Self.network, 2: Self.network, 3: Self.network],
            order: [1, 0, 2, 3, 9], current: current, wanted: .networkFirst)
        #expect(plan.number == 4)
        #expect(plan.order == order)
        #expect(plan.removed.isEmpty)
    }

    @Test("disk first: before everything")
    func diskFirst() {
        let plan = BootOrderPlan(
            adding: Self.entry, to: [0: Self.disk, 1: Self.network], order: [1, 0], current: 1,
            wanted: .diskFirst)
        #expect(plan.order == [2, 1, 0])
    }

    @Test("a reinstall uses its own entry again, and exactly one is left")
    func again() {
        let plan = BootOrderPlan(
            adding: Self.entry, to: [1: Self.network, 4: Self.entry.encoded, 7: Self.entry.encoded], order: [1, 4, 7],
            current: 1,
            wanted: .networkFirst)
        #expect(plan.number == 4)
        #expect(plan.removed == [7])
        #expect(plan.order == [1, 4])
    }

    @Test("hostile options never trap")
    func random() {
        var generator = SeededGenerator(seed: 6)
        for length in 0..<300 {
            let option = generator.bytes(length)
            _ = EFIBootEntry.title(of: option)
            _ = EFIBootEntry.isNetwork(option)
        }
    }

    @Test("the next start begins with the entry of this one; where firmware does not tell it, with its order")
    func again() async throws {
        let vendor = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
        let folder = "/sys/firmware/efi/efivars"
        for isTold in [true, false] {
            try await withTree { tree in
                try tree.write("\(folder)/BootOrder-\(vendor)", Data([7, 0, 0, 0, 2, 0, 0x1a, 0x02]))
                if isTold { try tree.write("\(folder)/BootCurrent-\(vendor)", Data([6, 0, 0, 0, 0x1a, 0x02])) }
                let files = SystemFiles(root: tree.root)
                let variables = try #require(EFIVariables(files: files))
                #expect(try variables.beginAgainAsNow() == (isTold ? "Boot021A" : nil))
                #expect(files.bytes("\(folder)/BootNext-\(vendor)") == (isTold ? [7, 0, 0, 0, 0x1a, 0x02] : nil))
            }
        }
    }
}
