import Foundation
import IPMI
import Inventory
import NetworkAddresses
import TestSupport
import Testing

@testable import AgentCore

/// Files below a root, and links that lead to other places below it.
struct Tree {
    let root: String

    func write(_ path: String, _ content: String) throws { try write(path, Data(content.utf8)) }

    func write(_ path: String, _ content: Data) throws {
        let url = URL(fileURLWithPath: root + path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try content.write(to: url)
    }

    func link(_ path: String, to target: String) throws {
        for directory in [root + target, URL(fileURLWithPath: root + path).deletingLastPathComponent().path] {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        }
        try FileManager.default.createSymbolicLink(atPath: root + path, withDestinationPath: root + target)
    }

    /// A disk of `sectors` whose device lies at `device` below /sys/devices.
    func disk(_ name: String, device: String, sectors: Int = 1 << 21, _ attributes: [String: String] = [:]) throws {
        try write("/sys/block/\(name)/size", "\(sectors)\n")
        try link("/sys/block/\(name)/device", to: "/sys/devices/" + device)
        for (path, value) in attributes {
            let folder = path.hasPrefix("device/") ? "/sys/devices/\(device)" : "/sys/block/\(name)"
            try write(folder + "/" + (path.hasPrefix("device/") ? String(path.dropFirst(7)) : path), value + "\n")
        }
    }

    func nic(_ name: String, device: String, _ attributes: [String: String]) throws {
        try link("/sys/class/net/\(name)/device", to: "/sys/devices/" + device)
        for (path, value) in attributes { try write("/sys/class/net/\(name)/\(path)", value + "\n") }
    }

    var report: HardwareReport {
        HardwareReader(
            files: SystemFiles(root: root), links: Silent(), drives: Silent(), bmc: Silent(),
            endorsementKey: EndorsementKeyQuestion { nil }
        ).report()
    }
}

/// Drivers and drives that answer nothing.
struct Silent: LinkFacts, DriveCommands, InBandBMC {
    func send(_ request: Request) -> InBandAnswer? { nil }
    func permanentMAC(_ name: String) -> MACAddress? { nil }
    func firmware(_ name: String) -> String? { nil }
    func neighbour(_ name: String) -> LLDPNeighbour? { nil }
    func nvme(_ path: String, opcode: UInt8, namespace: UInt32, dword10: UInt32, bytes: Int) -> [UInt8]? { nil }
    func scsi(_ path: String, _ command: [UInt8], bytes: Int) -> (answer: [UInt8], sense: [UInt8])? { nil }
}

func withTree(_ body: (Tree) async throws -> Void) async throws {
    try await withTemporaryDirectory { try await body(Tree(root: $0)) }
}
