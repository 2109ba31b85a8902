import Foundation
import Inventory
import ProfileFiles
import Testing

@Suite struct ProfileFileTests {
    @Test("every profile of the project loads")
    func shipped() throws {
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../hardware-profiles"
        ).path
        let profiles = try ProfileDirectory.load(directory)
        #expect(profiles.map(\.name).contains("generic-amd64"))
        let rack = try #require(profiles.first { $0.name == "qemu-q35" })
        #expect(rack.readBack == .full && rack.rootDisk.minimumBytes == 1 << 30)
    }

    @Test(
        "a fault is named with line, column and key",
        arguments: [
            ("priorty: 1\n", "p.yaml:1:1: unknown key priorty; did you mean priority?"),
            ("root_disk:\n  minimum: 4\n", "p.yaml:2:12: minimum: 4 is not a size with a unit such as 800GB or 4GiB"),
            (
                "root_disk:\n  transports: [floppy]\n",
                "p.yaml:2:16: transports: floppy is not a disk transport such as nvme, sata, sas, virtio"
            ),
            ("priority: high\n", "p.yaml:1:11: priority: expected a whole number"), ("", "p.yaml: the file is empty"),
            (
                "kernel_arguments:\n  - console=ttyS1,115200\n  - a=$(b)\n",
                "p.yaml:3:5: kernel_arguments: kernel argument a: the value may not contain \"$\""
            ), ("kernel_arguments: quiet\n", "p.yaml:1:19: kernel_arguments: expected a list"),
            ("kexec: perhaps\n", "p.yaml:1:8: kexec: expected true or false"),
        ])
    func faults(text: String, message: String) {
        let error = #expect(throws: ProfileFileError.self) {
            try ProfileDirectory.parse(text, file: "p.yaml", name: "p")
        }
        #expect(error?.description == message)
    }

    @Test(
        "sizes with units",
        arguments: [("1GiB", 1 << 30), ("800GB", 800_000_000_000), ("1.5 TB", 1_500_000_000_000), ("7B", 7)])
    func sizes(text: String, size: Int64) { #expect(ByteSize(text)?.bytes == size) }
}
