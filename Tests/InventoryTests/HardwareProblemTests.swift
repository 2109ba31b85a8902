import Inventory
import Testing

@Suite struct HardwareProblemTests {
    private static func problems(_ change: (inout HardwareReport) -> Void) -> [String] {
        var report = HardwareDifferenceTests.report
        change(&report)
        return report.problems.map(\.seen)
    }

    @Test("a machine in order has none, and what is wrong is told by the part that it is about")
    func rules() {
        #expect(Self.problems { _ in } == [])
        #expect(
            Self.problems { $0.controllers[0].disks = 0 } == [
                "the RAID controller 0000:65:00.0 (megaraid_sas) shows no virtual drive"
            ])
        #expect(
            Self.problems { ($0.disks, $0.controllers[0].disks) = ([], 0) } == [
                "the RAID controller 0000:65:00.0 (megaraid_sas) shows no virtual drive"
            ])
        #expect(Self.problems { $0.disks = [] } == ["there is no disk"])
        #expect(
            Self.problems { $0.disks.remove(at: 0) } == ["no disk is one that anything may be installed on"])
        #expect(
            Self.problems { $0.disks[0].health?.isFailing = true } == [
                "/dev/nvme0n1 (nvme, 960 GB, serial D-1) says that it is failing"
            ])
        #expect(
            Self.problems {
                $0.devices.append(PCIDevice(address: "0000:05:00.0", id: "14e4:16d6", classCode: "020000"))
                $0.devices.append(PCIDevice(address: "0000:06:00.0", id: "8086:1234", classCode: "078000"))
            } == ["the network controller 14e4:16d6 at 0000:05:00.0 has no driver"])
    }
}
