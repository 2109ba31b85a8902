import Foundation
import Inventory
import SMBIOS
import TestSupport
import Testing

@testable import AgentCore

/// Processors of real machines, as lscpu's own tests have recorded them (util-linux 2.41).
@Suite struct ProcessorReaderTests {
    @Test(
        "sockets, cores and threads are lscpu's",
        arguments: [
            ("epyc-7451", "AMD EPYC 7451 24-Core Processor", 2, 48, 96, ["svm", "x86-64-v2", "x86-64-v3"], "8001227"),
            ("xeon-x7550", "Intel(R) Xeon(R) CPU           X7550  @ 2.00GHz", 4, 32, 64, ["vmx", "x86-64-v2"], nil),
            // A telephone, whose three clusters are packages to its kernel.
            ("arm64-mixed", nil, 3, 8, 8, ["asimd", "atomics", "crc32"], nil),
        ] as [(String, String?, Int, Int, Int, [String], String?)])
    func real(
        name: String, model: String?, sockets: Int, cores: Int, threads: Int, flags: [String], microcode: String?
    ) async throws {
        let url = try #require(
            Bundle.module.url(forResource: name, withExtension: "tar.zst", subdirectory: "Fixtures"))
        try await withTemporaryDirectory { directory in
            let unpacked = try await ChildProcess.run("tar", ["--zstd", "-xf", url.path, "-C", directory])
            try #require(unpacked.status == 0, "\(unpacked.output)")
            let found = ProcessorReader(files: SystemFiles(root: directory), table: SMBIOSTable([])).processor()
            #expect(found.model == model && found.microcode == microcode)
            #expect(found.sockets == sockets && found.cores == cores && found.threads == threads)
            #expect(Set(found.flags).isSuperset(of: flags), "\(found.flags)")
            let levels = found.flags.filter { $0.hasPrefix("x86") }
            #expect(levels == flags.filter { $0.hasPrefix("x86") })
        }
    }

    @Test("where the kernel knows no model, firmware may")
    func told() async throws {
        try await withTree { tree in
            try tree.write("/proc/cpuinfo", "processor\t: 0\nFeatures\t: fp asimd\n")
            var area = [UInt8](repeating: 0, count: 22)
            (area[1], area[0x10 - 4], area[0x18 - 4]) = (3, 1, 0x41)
            let socket = [4, 26, 0, 0] + area + Array("Ampere(R) Altra(R) Processor".utf8) + [0, 0]
            try tree.write("/sys/firmware/dmi/tables/DMI", Data(socket + socket))
            #expect(tree.report.processor.model == "Ampere(R) Altra(R) Processor" && tree.report.processor.sockets == 2)
        }
    }
}
