import Machines
import NetworkAddresses

extension RackManifest.Reading {
    mutating func readYAML(_ text: String) {
        keys = [
            .switchPort: "switch", .site: "location.site", .row: "location.row", .rack: "location.rack",
            .unit: "location.unit",
        ]
        do {
            var top = try YAMLReader(file: file, text: text)
            let machines = try top.mappings("machines")
            try top.finish()
            guard let machines else {
                return note("machines is missing: a list, each machine after a `-`", at: FilePlace(line: 1, column: 1))
            }
            for var machine in machines {
                do {
                    try read(&machine)
                } catch let fault as ProfileFileError {
                    faults.append(fault)
                }
            }
        } catch let fault as ProfileFileError {
            faults.append(fault)
        } catch {
            note("\(error)", at: FilePlace())
        }
    }

    private mutating func read(_ reader: inout YAMLReader) throws {
        var entry = RackManifest.Entry(
            machine: .init(name: try reader.string("name") ?? ""), places: [:],
            place: reader.place)
        func mark(_ field: MachineAnnouncement.Field, _ key: String, in reader: YAMLReader) {
            entry.places[field] = reader.place(of: key)
        }
        entry.machine.serial = try reader.string("serial")
        entry.machine.macs = try macs(&reader)
        if var location = try reader.mapping("location") {
            entry.machine.location = Location(
                site: try location.string("site"), row: try location.string("row"), rack: try location.string("rack"),
                units: try location.parsed(
                    "unit", "a rack unit such as U4 or U12-U13, at most U\(RackUnits.limit)", RackUnits.init(_:)))
            for field in [MachineAnnouncement.Field.site, .row, .rack, .unit] {
                mark(field, field.rawValue, in: location)
            }
            try location.finish()
        }
        if var port = try reader.mapping("switch") {
            let name = try port.string("name")
            guard let text = try port.string("port") else { throw port.fault(key: "port", "switch: port is missing") }
            entry.machine.switchPort = .init(name: name, port: text)
            try port.finish()
        }
        if var bmc = try reader.mapping("bmc") { try self.bmc(&bmc, into: &entry) }
        entry.machine.profile = try reader.string("profile")
        let labels = try reader.pairs("labels") { ($0, $1) } ?? []
        entry.machine.labels = Dictionary(labels) { $1 }
        if entry.machine.labels.count < labels.count { throw reader.fault(key: "labels", "labels: one is here twice") }
        entry.machine.accept = try reader.boolean("accept") ?? false
        (entry.machine.hostname, entry.machine.notes) = (try reader.string("hostname"), try reader.string("notes"))
        for (field, key) in [
            (MachineAnnouncement.Field.name, "name"), (.serial, "serial"), (.switchPort, "switch"), (.bmc, "bmc"),
            (.profile, "profile"), (.labels, "labels"), (.hostname, "hostname"), (.notes, "notes"),
        ] {
            mark(field, key, in: reader)
        }
        mark(.macs, entry.machine.macs.count == 1 ? "mac" : "macs", in: reader)
        try reader.finish()
        entries.append(entry)
    }

    /// `mac`, or `macs` for several.
    private func macs(_ reader: inout YAMLReader) throws -> [MACAddress] {
        let what = "a MAC address such as \"52:54:00:12:34:56\""
        let single = try reader.parsed("mac", what, MACAddress.init(_:))
        let list = try reader.list("macs") { text in
            guard let mac = MACAddress(text) else { throw ValueFault("\(text) is not \(what)") }
            return mac
        }
        if single != nil, list != nil { throw reader.fault(key: "macs", "macs: there is mac already: one of the two") }
        return list ?? single.map { [$0] } ?? []
    }

    private mutating func bmc(_ reader: inout YAMLReader, into entry: inout RackManifest.Entry) throws {
        guard let address = try reader.parsed("address", "an IPv4 address", IPv4Address.init(_:)) else {
            throw reader.fault(key: "address", "bmc: address is missing")
        }
        entry.machine.bmc = .init(
            address: address, port: try reader.integer("port", in: 1...65535),
            kind: try reader.word("kind", MachineAnnouncement.BMC.Kind.self), username: try reader.string("user"))
        let own = try reader.string("password")
        if own != nil { holdsPasswords = true }
        let path = try reader.string("password_file")
        try reader.finish()
        do {
            entry.bmcPassword = try password(own, file: path)
        } catch {
            throw reader.fault(key: "password_file", "password_file: \(error)")
        }
    }
}
