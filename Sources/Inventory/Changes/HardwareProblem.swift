/// Something about a machine's hardware that keeps it from being used, and what to do.
public struct HardwareProblem: Codable, Equatable, Sendable {
    /// What was seen.
    public var seen: String
    /// What to do.
    public var attempt: String
    /// Serial, WWN or path of the disk that says that it fails; nil: it is about something else.
    public var failingDisk: String?

    public init(_ seen: String, attempt: String, failingDisk: String? = nil) {
        (self.seen, self.attempt, self.failingDisk) = (seen, attempt, failingDisk)
    }
}

extension HardwareReport {
    /// What a person should look at. Pure.
    public var problems: [HardwareProblem] { controllerProblems + diskProblems + driverProblems }

    private var controllerProblems: [HardwareProblem] {
        controllers.filter { $0.kind == .raid && $0.disks == 0 }.map { controller in
            let name = [controller.slot, controller.driver].compactMap { $0 }.joined(separator: ", ")
            return HardwareProblem(
                "the RAID controller \(controller.address)\(name.isEmpty ? "" : " (\(name))") shows no virtual drive",
                attempt:
                    "make a virtual drive of its drives in its setup or with its maker's tool (storcli, ssacli, arcconf), or set it "
                    + "to pass drives through (HBA or JBOD mode); then boot the machine again")
        }
    }

    private var diskProblems: [HardwareProblem] {
        let failing = disks.filter { $0.health?.isFailing == true }.map {
            HardwareProblem(
                "\($0.summary) says that it is failing", attempt: "replace it",
                failingDisk: $0.serial ?? $0.wwn ?? $0.path)
        }
        guard !disks.contains(where: { $0.untargetable == nil }) else { return failing }
        // A controller without a virtual drive is told by itself.
        guard controllerProblems.isEmpty else { return failing }
        return failing + [
            HardwareProblem(
                disks.isEmpty ? "there is no disk" : "no disk is one that anything may be installed on",
                attempt: "look whether disks are plugged in and seen by the firmware, and by which controller")
        ]
    }

    /// Controllers that decide whether the machine can be used at all.
    private var driverProblems: [HardwareProblem] {
        devices.filter { $0.driver == nil }.compactMap { device in
            let kind: String? =
                switch device.classCode.prefix(4) {
                case "0100", "0104", "0106", "0107", "0108": "storage controller"
                case "0200": "network controller"
                default: nil
                }
            return kind.map { kind in
                HardwareProblem(
                    "the \(kind) \(device.id) at \(device.slot ?? device.address) has no driver",
                    attempt:
                        "build the agent's image with its firmware (`make agent FIRMWARE_DIR=…`) if the agent's console names a missing file; "
                        + "else its driver is not in the image")
            }
        }
    }
}
