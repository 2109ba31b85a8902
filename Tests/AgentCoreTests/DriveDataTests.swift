import Foundation
import Inventory
import Testing

@testable import AgentCore

/// Answers of drives, laid out by their specifications.
@Suite struct DriveDataTests {
    /// 512 bytes of IDENTIFY data behind SAT's header.
    static func page(_ words: [Int: UInt16], model: String = "", serial: String = "") -> [UInt8] {
        var page = [UInt8](repeating: 0, count: 572)
        (page[1], page[2], page[3], page[56]) = (0x89, 2, 0x38, 0xec)
        for (word, value) in words {
            (page[60 + 2 * word], page[61 + 2 * word]) = (UInt8(value & 0xff), UInt8(value >> 8))
        }
        // Two letters in a word, the first in its high byte; the rest is blanks.
        for (first, count, text) in [(10, 20, serial), (27, 40, model)] {
            let letters = Array(text.utf8) + [UInt8](repeating: 0x20, count: count - text.utf8.count)
            for index in 0..<count { page[60 + 2 * first + (index ^ 1)] = letters[index] }
        }
        return page
    }

    @Test("an ATA drive's names, whole where the kernel cuts them, and its ways to erase")
    func ata() throws {
        let page = Self.page(
            [59: 0xb000, 128: 0x0021], model: "SAMSUNG MZ7LH960HAJR-00005", serial: "S45NNA0M123456")
        let drive = try #require(ATAIdentity(page: page))
        #expect(drive.model == "SAMSUNG MZ7LH960HAJR-00005" && drive.serial == "S45NNA0M123456")
        #expect(
            drive.methods == [.ataSanitizeCrypto, .ataSanitizeBlock, .ataSecureErase, .ataSecureEraseEnhanced])
        #expect(ATAIdentity(page: Self.page([59: 0xe000, 128: 0x20]))?.methods.isEmpty ?? false)
        #expect(ATAIdentity(page: Self.page([128: 1]))?.methods == [.ataSecureErase])
        for count in [0, 57, 571] { #expect(ATAIdentity(page: Array(page.prefix(count))) == nil) }
        // A packet device (A1h), and another page.
        var other = page
        other[56] = 0xa1
        #expect(ATAIdentity(page: other) == nil)
        other = page
        other[1] = 0x80
        #expect(ATAIdentity(page: other) == nil)
    }

    @Test(
        "an NVMe controller's ways to erase (SANICAP, OACS, FNA)",
        arguments: [
            (0, 0, 0, []), (7, 0, 0, [.nvmeSanitizeCrypto, .nvmeSanitizeBlock, .nvmeSanitizeOverwrite]),
            (2, 2, 0, [.nvmeSanitizeBlock, .nvmeFormat]), (0, 2, 4, [.nvmeFormatCrypto, .nvmeFormat]),
            (0, 0xfd, 4, []),
        ] as [(UInt8, UInt8, UInt8, [EraseMethod])])
    func nvme(sanitize: UInt8, commands: UInt8, format: UInt8, methods: [EraseMethod]) {
        var data = [UInt8](repeating: 0, count: 4096)
        (data[328], data[256], data[524]) = (sanitize, commands, format)
        #expect(NVMeData.methods(identify: data) == methods)
        #expect(NVMeData.methods(identify: Array(data.prefix(524))) == nil)
    }

    @Test("NVMe health: warnings that mean the end, and units")
    func health() throws {
        var log = [UInt8](repeating: 0, count: 512)
        (log[1], log[2], log[5]) = (0x37, 0x01, 3)
        (log[128], log[129], log[160]) = (0x10, 0x27, 2)
        #expect(
            NVMeData.health(log: log)
                == DiskHealth(
                    isFailing: false, temperatureCelsius: 38, poweredOnHours: 10_000, wearPercent: 3, mediaErrors: 2))
        for (warning, isFailing) in [(1, true), (2, false), (4, true), (8, true), (16, false)] as [(UInt8, Bool)] {
            log[0] = warning
            #expect(NVMeData.health(log: log)?.isFailing == isFailing, "\(warning)")
        }
        log.replaceSubrange(128..<176, with: [UInt8](repeating: 0xff, count: 48))
        #expect(NVMeData.health(log: log)?.poweredOnHours == .max)
        #expect(NVMeData.health(log: Array(log.dropLast())) == nil)
    }

    @Test("SMART attributes and status of an ATA drive; a SAS drive's own word")
    func smart() {
        var data = [UInt8](repeating: 0, count: 512)
        let attributes: [(UInt8, [UInt8])] = [
            (5, [8, 0, 0, 0]), (9, [0x39, 0x30, 0, 7]), (190, [40, 0, 0, 0]), (194, [31, 0, 20, 45]),
            (197, [2, 0, 0, 0]),
            (241, [1, 2, 3, 4]),
        ]
        for (index, (id, raw)) in attributes.enumerated() {
            data[2 + 12 * index] = id
            data.replaceSubrange((7 + 12 * index)..<(11 + 12 * index), with: raw)
        }
        #expect(
            SCSIData.health(attributes: data, isFailing: true)
                == DiskHealth(isFailing: true, temperatureCelsius: 31, poweredOnHours: 12345, mediaErrors: 10))
        #expect(SCSIData.health(attributes: [], isFailing: true) == nil)
        var sense: [UInt8] = [0x72, 1, 0, 0x1d, 0, 0, 0, 14, 9, 12, 0, 0, 0, 0, 0, 0, 0, 0x4f, 0, 0xc2, 0, 0x50]
        #expect(SCSIData.isFailing(sense: sense) == false)
        (sense[17], sense[19]) = (0xf4, 0x2c)
        #expect(SCSIData.isFailing(sense: sense) == true)
        #expect(SCSIData.isFailing(sense: Array(sense.dropLast())) == nil && SCSIData.isFailing(sense: []) == nil)
        sense[8] = 0
        #expect(SCSIData.isFailing(sense: sense) == nil)
        let page: [UInt8] = [0x2f, 0, 0, 8, 0, 0, 3, 4, 0x5d, 0x14, 29, 0]
        #expect(SCSIData.health(exceptions: page) == DiskHealth(isFailing: true, temperatureCelsius: 29))
        #expect(SCSIData.health(exceptions: [0x2f, 0]) == nil)
    }

    /// Notes what it is asked.
    private struct Drive: DriveCommands {
        var scsiAnswer: @Sendable ([UInt8]) -> (answer: [UInt8], sense: [UInt8])?

        func nvme(_ path: String, opcode: UInt8, namespace: UInt32, dword10: UInt32, bytes: Int) -> [UInt8]? {
            guard path == "/dev/nvme7" else { return nil }
            var answer = [UInt8](repeating: 0, count: bytes)
            if opcode == 6, dword10 == 1 { answer[328] = 1 }
            if opcode == 2, dword10 == 0x7f0002 { answer[5] = 9 }
            return answer
        }

        func scsi(_ path: String, _ command: [UInt8], bytes: Int) -> (answer: [UInt8], sense: [UInt8])? {
            scsiAnswer(command)
        }
    }

    @Test("each kind of drive is asked in its own language, and what is not local not at all")
    func questions() {
        func state(
            _ transport: DiskTransport, _ answer: @escaping @Sendable ([UInt8]) -> (answer: [UInt8], sense: [UInt8])?
        )
            -> (health: DiskHealth?, methods: [EraseMethod]?)
        {
            Drive(scsiAnswer: answer).state(
                of: DriveAddress(path: "/dev/x", controller: "/dev/nvme7", transport: transport))
        }
        let nvme = state(.nvme) { _ in nil }
        #expect(nvme.methods == [.nvmeSanitizeCrypto] && nvme.health?.wearPercent == 9)
        let sas = state(.sas) { command in
            // SANITIZE with block erase is what it has.
            command[0] == 0xa3 ? ([0, command[5] == 2 ? 3 : 1], []) : ([0x2f, 0, 0, 8, 0, 0, 3, 4, 0, 0, 40], [])
        }
        #expect(
            sas.methods == [.scsiSanitizeBlock] && sas.health == DiskHealth(isFailing: false, temperatureCelsius: 40))
        for transport in [DiskTransport.fibreChannel, .iscsi, .nvmeOverFabrics, .usb, .unknown] {
            let other = state(transport) { command in
                Issue.record("asked \(command)")
                return nil
            }
            #expect(other.health == nil && other.methods == nil)
        }
    }

    @Test(
        "names by which udev links disks",
        arguments: [
            (
                .nvme, "SAMSUNG MZQLB1T9HAJR-00007", "S4YPNE0N800123", "eui.36344730528001230025384500000001",
                ["nvme-eui.36344730528001230025384500000001", "nvme-SAMSUNG_MZQLB1T9HAJR-00007_S4YPNE0N800123"]
            ),
            (
                .sata, "QEMU HARDDISK", "QM00001", nil, ["ata-QEMU_HARDDISK_QM00001"]
            ),
            (
                .sata, "ST4000NM0035-1V4107", "ZC1A2B", "naa.5000c500a1b2c3d4",
                ["ata-ST4000NM0035-1V4107_ZC1A2B", "wwn-0x5000c500a1b2c3d4"]
            ),
            (.sas, "ST1200MM0099", "WFK0", "naa.5000c500b1", ["scsi-35000c500b1", "wwn-0x5000c500b1"]),
            (.virtio, nil, "a/b  c", nil, ["virtio-a_b_c"]), (.nvme, nil, nil, nil, []),
        ] as [(DiskTransport, String?, String?, String?, [String])])
    func names(transport: DiskTransport, model: String?, serial: String?, wwn: String?, names: [String]) {
        #expect(DiskNames.of(transport: transport, model: model, serial: serial, wwn: wwn) == names)
    }
}
