import Inventory
import NetworkAddresses

/// What staff say of a machine before it arrives. It holds no password: that travels beside it and is kept sealed.
public struct MachineAnnouncement: Codable, Equatable, Sendable {
    /// The machine's name from its arrival on, and the announcement's own.
    public var name: String
    /// Of the system, as its sticker and SMBIOS say; nil: known by its MACs.
    public var serial: String?
    /// Permanent addresses of its PCI NICs, one or more.
    public var macs: [MACAddress] = []
    public var location: Location?
    /// Switch and port that one of its NICs is to be plugged into.
    public var switchPort: Port?
    public var bmc: BMC?
    /// Name of the hardware profile that it is to match.
    public var profile: String?
    public var labels: [String: String] = [:]
    /// It is accepted on arrival when all that was announced is so.
    public var accept = false
    /// The installed system's host name; nil: the name.
    public var hostname: String?
    public var notes: String?

    public init(name: String, serial: String? = nil, macs: [MACAddress] = []) {
        (self.name, self.serial, self.macs) = (name, serial, macs)
    }

    public struct Port: Codable, Equatable, Sendable {
        /// Name of the switch; nil: any.
        public var name: String?
        public var port: String

        public init(name: String? = nil, port: String) { (self.name, self.port) = (name, port) }

        var words: String { [name, port].compactMap { $0 }.joined(separator: " ") }
    }

    public struct BMC: Codable, Equatable, Sendable {
        /// How it is spoken to.
        public enum Kind: String, Codable, Sendable, CaseIterable { case auto, redfish, ipmi }

        public var address: IPv4Address
        /// Nil: the protocol's own.
        public var port: Int?
        public var kind: Kind?
        /// As it left the factory; with a password, or nil without.
        public var username: String?

        public init(address: IPv4Address, port: Int? = nil, kind: Kind? = nil, username: String? = nil) {
            (self.address, self.port, self.kind, self.username) = (address, port, kind, username)
        }
    }

    private enum CodingKeys: String, CodingKey {
        case name, serial, macs, location, switchPort, bmc, profile, labels, accept, hostname, notes
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        name = try values.decode(String.self, forKey: .name)
        serial = try values.decodeIfPresent(String.self, forKey: .serial)
        macs = try values.decodeIfPresent([MACAddress].self, forKey: .macs) ?? []
        location = try values.decodeIfPresent(Location.self, forKey: .location)
        switchPort = try values.decodeIfPresent(Port.self, forKey: .switchPort)
        bmc = try values.decodeIfPresent(BMC.self, forKey: .bmc)
        profile = try values.decodeIfPresent(String.self, forKey: .profile)
        labels = try values.decodeIfPresent([String: String].self, forKey: .labels) ?? [:]
        accept = try values.decodeIfPresent(Bool.self, forKey: .accept) ?? false
        hostname = try values.decodeIfPresent(String.self, forKey: .hostname)
        notes = try values.decodeIfPresent(String.self, forKey: .notes)
    }
}

extension MachineAnnouncement {
    /// One thing that is wrong, and in which field.
    public struct Fault: Equatable, Sendable {
        public var field: Field
        public var reason: String
    }

    /// Parts of an announcement as files and answers name them.
    public enum Field: String, Sendable, CaseIterable {
        case name, serial, macs, site, row, rack, unit, switchPort, bmc, profile, labels, accept, hostname, notes
    }

    static let macLimit = 16
    static let textLimit = 256

    /// What is wrong with it by itself. Pure.
    public var faults: [Fault] {
        var faults: [Fault] = []
        func demand(_ isFine: Bool, _ field: Field, _ reason: @autoclosure () -> String) {
            if !isFine { faults.append(Fault(field: field, reason: reason())) }
        }
        let label = "lower-case letters, digits and '-', at most 63, starting and ending with a letter or digit"
        demand(HostName.isLabel(name), .name, "\(name.debugDescription) is not a name: \(label)")
        demand(
            serial != nil || !macs.isEmpty, .serial, "neither serial nor MAC: nothing tells this machine from another")
        if let serial {
            demand(
                (1...64).contains(serial.count) && PlainText.isPlain(serial), .serial,
                "\(serial.debugDescription) is not a serial number: at most 64 characters, no control characters")
            demand(
                FirmwareText.serial(serial) != nil, .serial,
                "\(serial.debugDescription) is what firmware says where nobody told it a serial number; announce its MAC"
            )
        }
        demand(macs.count <= Self.macLimit, .macs, "\(macs.count) MACs; at most \(Self.macLimit)")
        demand(Set(macs).count == macs.count, .macs, "a MAC is here twice")
        for mac in macs {
            demand(!mac.isMulticast && mac.rawValue != 0, .macs, "\(mac) is no machine's own address")
        }
        if let fault = location?.fault {
            faults.append(Fault(field: Field(rawValue: fault.field) ?? .site, reason: fault.reason))
        }
        for text in [switchPort?.name, switchPort?.port] {
            guard let text else { continue }
            demand(
                (1...Self.textLimit).contains(text.count) && PlainText.isPlain(text), .switchPort,
                "\(text.debugDescription) is not a switch's word: 1 to \(Self.textLimit) characters, no control characters"
            )
        }
        if let bmc { faults += bmc.faults.map { Fault(field: .bmc, reason: $0) } }
        for (field, text) in [(Field.profile, profile), (.notes, notes)] {
            guard let text else { continue }
            demand(
                (1...Self.textLimit).contains(text.count) && PlainText.isPlain(text), field,
                "1 to \(Self.textLimit) characters, no control characters")
        }
        if let fault = Labels.fault(labels) { faults.append(Fault(field: .labels, reason: fault)) }
        if let hostname {
            demand(HostName.isLabel(hostname), .hostname, "\(hostname.debugDescription) is not a host name: \(label)")
        }
        return faults
    }
}

extension MachineAnnouncement.BMC {
    var faults: [String] {
        var faults: [String] = []
        // RFC 6890: this network, multicast and above.
        if address.bytes[0] == 0 || address.bytes[0] >= 224 { faults.append("\(address) is not the address of a BMC") }
        if let port, !(1...65535).contains(port) { faults.append("a port is 1 to 65535, not \(port)") }
        if let username, !(1...32).contains(username.utf8.count) || !PlainText.isPlain(username) {
            faults.append("\(username.debugDescription) is not a BMC's user: 1 to 32 characters, no control characters")
        }
        return faults
    }

    /// Where it is spoken to: no two machines share it. Both protocols of an address are one BMC.
    var endpoint: String {
        let usual: [Int] =
            switch kind ?? .auto {
            case .auto: [BMCKind.redfish.defaultPort, BMCKind.ipmi.defaultPort]
            case .redfish: [BMCKind.redfish.defaultPort]
            case .ipmi: [BMCKind.ipmi.defaultPort]
            }
        return "\(address)" + (port.flatMap { usual.contains($0) ? nil : ":\($0)" } ?? "")
    }
}
