import Foundation
import Inventory
import Synchronization
import TestSupport
import Testing

@testable import AgentCore

/// The kernel's TPM as the agent asks it.
@Suite struct TPMReaderTests {
    @Test("no device, one that is a file, and one that says what it was told: nothing is known, and no harm done")
    func devices() async throws {
        try await withTemporaryDirectory { root in
            #expect(EndorsementKeyQuestion.ofKernel(files: SystemFiles(root: root)).hash(within: .seconds(5)) == nil)
            try FileManager.default.createDirectory(atPath: root + "/dev", withIntermediateDirectories: true)
            try Data().write(to: URL(fileURLWithPath: root + "/dev/tpmrm0"))
            #expect(EndorsementKeyQuestion.ofKernel(files: SystemFiles(root: root)).hash(within: .seconds(5)) == nil)
            try FileManager.default.removeItem(atPath: root + "/dev/tpmrm0")
            #expect(mkfifo(root + "/dev/tpmrm0", 0o600) == 0)
            #expect(EndorsementKeyQuestion.ofKernel(files: SystemFiles(root: root)).hash(within: .seconds(5)) == nil)
        }
    }

    @Test("a device that never answers is given up")
    func silent() throws {
        // A terminal at whose other end nobody types (TIOCSPTLCK and TIOCGPTN: unlock it, its number).
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        defer { close(master) }
        var (lock, number) = (Int32(0), UInt32(0))
        #expect(ioctl(master, 0x4004_5431, &lock) == 0 && ioctl(master, 0x8004_5430, &number) == 0)
        let tpm = try #require(KernelTPM(path: "/dev/pts/\(number)", patience: 1))
        #expect(tpm.exchange([1, 2, 3]) == nil)
    }

    @Test("a slow TPM is asked once, does not hold up who waits for it, and is known later")
    func slow() async {
        let gate = DispatchSemaphore(value: 0)
        let asked = Mutex(0)
        let question = EndorsementKeyQuestion {
            asked.withLock { $0 += 1 }
            gate.wait()
            return "hash"
        }
        question.begin()
        #expect(question.hash(within: .zero) == nil && question.hash(within: .milliseconds(20)) == nil)
        gate.signal()
        #expect(question.hash(within: .seconds(10)) == "hash" && question.hash(within: .zero) == "hash")
        #expect(asked.withLock { $0 } == 1)
    }

    @Test("it is in the report of a machine with a TPM 2.0, and in what the session is opened with")
    func report() async throws {
        try await withTree { tree in
            let question = EndorsementKeyQuestion { "abc" }
            var reader: HardwareReader {
                HardwareReader(
                    files: SystemFiles(root: tree.root), links: Silent(), drives: Silent(), bmc: Silent(),
                    endorsementKey: question)
            }
            #expect(reader.report().tpm == nil)
            try tree.write("/sys/class/tpm/tpm0/tpm_version_major", "2\n")
            #expect(reader.report().tpm?.endorsementKeyHash == "abc")
            #expect(reader.identity().machine.endorsementKeyHash == "abc")
            try tree.write("/sys/class/tpm/tpm0/tpm_version_major", "1\n")
            #expect(reader.report().tpm == .init(version: "1.2"))
        }
    }
}
