/// What a condition looks at: a machine, or one of its parts. Boxed, since it is looked at often and a report is large.
public indirect enum HardwareSubject: Sendable {
    case machine(HardwareReport)
    case disk(Disk)
    case nic(NIC)
    case device(PCIDevice)
    case module(HardwareReport.Memory.Module)
    case controller(StorageController)
}

/// One fact that a profile can ask for, by the name that it is asked for.
public struct HardwareField: Sendable {
    public enum Value: Equatable, Sendable {
        case text(String)
        case list([String])
        case number(Int64)
        case flag(Bool)
    }

    public enum Kind: Sendable {
        case text
        /// Several words, of which one is asked for.
        case list
        case flag
        case number(NumberUnit)
    }

    public let name: String
    public let kind: Kind
    let read: @Sendable (HardwareSubject) -> Value?

    private init(_ name: String, _ kind: Kind, _ read: @escaping @Sendable (HardwareSubject) -> Value?) {
        (self.name, self.kind, self.read) = (name, kind, read)
    }

    // MARK: Of the machine

    private static func text(_ name: String, _ read: @escaping @Sendable (HardwareReport) -> String?) -> Self {
        Self(name, .text) { if case .machine(let report) = $0 { read(report).map { .text($0) } } else { nil } }
    }

    private static func number(
        _ name: String, _ unit: NumberUnit = .count, _ read: @escaping @Sendable (HardwareReport) -> Int64?
    ) -> Self {
        Self(name, .number(unit)) {
            if case .machine(let report) = $0 { read(report).map { .number($0) } } else { nil }
        }
    }

    private static func flag(_ name: String, _ read: @escaping @Sendable (HardwareReport) -> Bool?) -> Self {
        Self(name, .flag) { if case .machine(let report) = $0 { read(report).map { .flag($0) } } else { nil } }
    }

    public static let ofMachine: [HardwareField] = [
        text("architecture") { $0.processor.architecture }, text("manufacturer") { $0.system.manufacturer },
        text("product") { $0.system.product }, text("serial") { $0.system.serial }, text("sku") { $0.system.sku },
        text("family") { $0.system.family }, text("board_manufacturer") { $0.board?.manufacturer },
        text("board_product") { $0.board?.product }, text("chassis") { $0.chassis?.kind },
        text("firmware") { $0.firmware.kind.rawValue }, text("firmware_vendor") { $0.firmware.vendor },
        text("firmware_version") { $0.firmware.version }, text("tpm") { $0.tpm?.version },
        text("processor") { $0.processor.model }, flag("secure_boot") { $0.firmware.secureBoot },
        flag("ecc") { $0.memory.mendsErrors }, flag("bmc") { $0.hasBMC },
        Self("flags", .list) { if case .machine(let report) = $0 { .list(report.processor.flags) } else { nil } },
        number("sockets") { Int64($0.processor.sockets) }, number("cores") { Int64($0.processor.cores) },
        number("threads") { Int64($0.processor.threads) },
        number("memory", .bytes) { $0.memory.installedBytes },
    ]

    // MARK: Of parts

    private static func disk(_ name: String, _ kind: Kind = .text, _ read: @escaping @Sendable (Disk) -> Value?) -> Self
    {
        Self(name, kind) { if case .disk(let disk) = $0 { read(disk) } else { nil } }
    }

    private static func nic(_ name: String, _ kind: Kind = .text, _ read: @escaping @Sendable (NIC) -> Value?) -> Self {
        Self(name, kind) { if case .nic(let nic) = $0 { read(nic) } else { nil } }
    }

    private static func device(_ name: String, _ read: @escaping @Sendable (PCIDevice) -> String?) -> Self {
        Self(name, .text) { if case .device(let device) = $0 { read(device).map { .text($0) } } else { nil } }
    }

    static let ofDisk: [HardwareField] = [
        disk("transport") { .text($0.transport.rawValue) }, disk("model") { $0.model.map { .text($0) } },
        disk("serial") { $0.serial.map { .text($0) } }, disk("firmware") { $0.firmware.map { .text($0) } },
        disk("size", .number(.bytes)) { .number($0.sizeBytes) }, disk("rotational", .flag) { .flag($0.rotational) },
        disk("removable", .flag) { .flag($0.removable) },
        disk("erase", .list) { $0.eraseMethods.map { .list($0.map(\.rawValue)) } },
    ]

    static let ofNIC: [HardwareField] = [
        nic("driver") { $0.driver.map { .text($0) } }, nic("slot") { $0.slot.map { .text($0) } },
        nic("switch") { $0.neighbour.map { .text($0.system) } }, nic("link", .flag) { .flag($0.linkUp) },
        nic("speed", .number(.bits)) { nic in
            // An agent's word: a number that is too large is none.
            let speed = nic.speedMbps?.multipliedReportingOverflow(by: 1_000_000)
            return speed.flatMap { $0.overflow ? nil : .number(Int64($0.partialValue)) }
        },
    ]

    static let ofDevice: [HardwareField] = [
        device("id") { $0.id }, device("subsystem") { $0.subsystem }, device("class") { $0.classCode },
        device("driver") { $0.driver }, device("slot") { $0.slot },
    ]

    static let ofModule: [HardwareField] = [
        Self("manufacturer", .text) {
            if case .module(let module) = $0 { module.manufacturer.map { .text($0) } } else { nil }
        },
        Self("part", .text) { if case .module(let module) = $0 { module.partNumber.map { .text($0) } } else { nil } },
        Self("size", .number(.bytes)) {
            if case .module(let module) = $0 { module.sizeBytes.map { .number($0) } } else { nil }
        },
    ]

    static let ofController: [HardwareField] = [
        Self("kind", .text) {
            if case .controller(let controller) = $0 { .text(controller.kind.rawValue) } else { nil }
        },
        Self("id", .text) { if case .controller(let controller) = $0 { .text(controller.id) } else { nil } },
        Self("driver", .text) {
            if case .controller(let controller) = $0 { controller.driver.map { .text($0) } } else { nil }
        },
        Self("disks", .number(.count)) {
            if case .controller(let controller) = $0 { .number(Int64(controller.disks)) } else { nil }
        },
    ]
}

/// Parts that a profile can count.
public enum HardwareParts: String, Sendable, CaseIterable {
    case disks, nics, gpus, devices, modules, controllers

    /// What can be asked of one of them.
    public var fields: [HardwareField] {
        switch self {
        case .disks: HardwareField.ofDisk
        case .nics: HardwareField.ofNIC
        case .gpus, .devices: HardwareField.ofDevice
        case .modules: HardwareField.ofModule
        case .controllers: HardwareField.ofController
        }
    }

    func parts(of report: HardwareReport) -> [HardwareSubject] {
        switch self {
        case .disks: report.disks.map { .disk($0) }
        case .nics: report.nics.map { .nic($0) }
        case .gpus: report.devices.lazy.filter(\.isGPU).map { .device($0) }
        case .devices: report.devices.map { .device($0) }
        case .modules: report.memory.modules.map { .module($0) }
        case .controllers: report.controllers.map { .controller($0) }
        }
    }
}
