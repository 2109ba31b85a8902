import Machines
import NetworkAddresses

extension RackManifest.Reading {
    /// Columns by their names in the first row, in any order; an empty cell says nothing.
    enum Column: String, CaseIterable {
        case name, serial, mac, site, row, rack, unit
        case switchName = "switch"
        case port
        case bmcAddress = "bmc_address"
        case bmcPort = "bmc_port"
        case bmcKind = "bmc_kind"
        case bmcUser = "bmc_user"
        case bmcPassword = "bmc_password"
        case bmcPasswordFile = "bmc_password_file"
        case profile, labels, accept, hostname, notes

        var field: MachineAnnouncement.Field {
            switch self {
            case .name: .name
            case .serial: .serial
            case .mac: .macs
            case .site: .site
            case .row: .row
            case .rack: .rack
            case .unit: .unit
            case .switchName, .port: .switchPort
            case .bmcAddress, .bmcPort, .bmcKind, .bmcUser, .bmcPassword, .bmcPasswordFile: .bmc
            case .profile: .profile
            case .labels: .labels
            case .accept: .accept
            case .hostname: .hostname
            case .notes: .notes
            }
        }
    }

    mutating func readCSV(_ text: String) {
        keys = [.macs: "mac", .switchPort: "port", .bmc: "bmc_address"]
        do {
            let rows = try CSVReader.rows(of: text, file: file)
            guard let header = rows.first, let columns = columns(header) else {
                if rows.isEmpty { note("the file is empty", at: FilePlace()) }
                return
            }
            for row in rows.dropFirst() { read(row, columns) }
        } catch {
            faults.append(error)
        }
    }

    /// Nil where the header cannot be used.
    private mutating func columns(_ header: [CSVReader.Field]) -> [Column]? {
        if header.count == 1, header[0].text.contains(";") {
            note("the columns are separated by ';': save the file as comma-separated values", at: header[0].place)
            return nil
        }
        var columns: [Column] = []
        let known = Column.allCases.map(\.rawValue)
        for cell in header {
            let name = Self.trimmed(cell.text)
            guard let column = Column(rawValue: name) ?? Column(rawValue: name.lowercased()) else {
                let hint = Nearest.word(to: name.lowercased(), among: known).map { "did you mean \($0)?" }
                note(
                    "unknown column \(name.debugDescription); \(hint ?? "there are \(known.joined(separator: ", "))")",
                    at: cell.place)
                continue
            }
            if columns.contains(column) { note("the column \(column.rawValue) is here twice", at: cell.place) }
            columns.append(column)
        }
        if columns.count == header.count, !columns.contains(.name) {
            note("the column name is missing: each machine has one", at: header[0].place)
        }
        return faults.isEmpty ? columns : nil
    }

    private mutating func read(_ row: [CSVReader.Field], _ columns: [Column]) {
        guard row.count == columns.count else {
            return note("\(row.count) fields, and the first row has \(columns.count)", at: row[0].place)
        }
        var entry = RackManifest.Entry(machine: .init(name: ""), places: [:], place: row[0].place)
        var cells: [Column: CSVReader.Field] = [:]
        for (column, cell) in zip(columns, row) {
            if entry.places[column.field] == nil { entry.places[column.field] = cell.place }
            let text = column == .bmcPassword ? cell.text : Self.trimmed(cell.text)
            if !text.isEmpty { cells[column] = .init(text: text, place: cell.place) }
        }
        let before = faults.count
        func text(_ column: Column) -> String? { cells[column]?.text }
        entry.machine = .init(name: text(.name) ?? "", serial: text(.serial))
        (entry.machine.profile, entry.machine.hostname) = (text(.profile), text(.hostname))
        entry.machine.notes = text(.notes)
        entry.machine.macs =
            parse(cells[.mac], .mac) { words throws in
                try words.split { $0 == " " || $0 == ";" }.map { word throws in
                    try Self.value(String(word), "a MAC address such as 52:54:00:12:34:56", MACAddress.init(_:))
                }
            } ?? []
        var location = Location(site: text(.site), row: text(.row), rack: text(.rack))
        location.units = parse(cells[.unit], .unit) { text throws in
            try Self.value(text, "a rack unit such as U4 or U12-U13, at most U\(RackUnits.limit)", RackUnits.init(_:))
        }
        if location != Location() { entry.machine.location = location }
        if let port = text(.port) {
            entry.machine.switchPort = .init(name: text(.switchName), port: port)
        } else if let cell = cells[.switchName] {
            note("switch: a switch without its port; say both", at: cell.place)
        }
        entry.machine.labels = parse(cells[.labels], .labels) { try Self.labels($0) } ?? [:]
        entry.machine.accept =
            parse(cells[.accept], .accept) { text throws in
                try Self.value(text, "true or false") { ["true": true, "false": false][$0.lowercased()] }
            } ?? false
        readBMC(cells, into: &entry)
        if faults.count == before { entries.append(entry) }
    }

    private mutating func readBMC(_ cells: [Column: CSVReader.Field], into entry: inout RackManifest.Entry) {
        if cells[.bmcPassword] != nil { holdsPasswords = true }
        guard cells[.bmcAddress] != nil else {
            let others: [Column] = [.bmcPort, .bmcKind, .bmcUser, .bmcPassword, .bmcPasswordFile]
            if let column = others.first(where: { cells[$0] != nil }), let cell = cells[column] {
                note("\(column.rawValue): bmc_address is missing", at: cell.place)
            }
            return
        }
        let address = parse(cells[.bmcAddress], .bmcAddress) { text throws in
            try Self.value(text, "an IPv4 address", IPv4Address.init(_:))
        }
        let port = parse(cells[.bmcPort], .bmcPort) { text throws in
            try Self.value(text, "a port from 1 to 65535") { Int($0).flatMap { (1...65535).contains($0) ? $0 : nil } }
        }
        let kind = parse(cells[.bmcKind], .bmcKind) { text throws in
            let words = MachineAnnouncement.BMC.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            return try Self.value(text, "one of \(words)", MachineAnnouncement.BMC.Kind.init(rawValue:))
        }
        guard let address else { return }
        entry.machine.bmc = .init(address: address, port: port, kind: kind, username: cells[.bmcUser]?.text)
        do {
            entry.bmcPassword = try password(cells[.bmcPassword]?.text, file: cells[.bmcPasswordFile]?.text)
        } catch {
            note("bmc_password_file: \(error)", at: cells[.bmcPasswordFile]?.place ?? entry.place)
        }
    }

    /// A cell as a value; what is wrong is noted.
    private mutating func parse<Value>(
        _ cell: CSVReader.Field?, _ column: Column, _ parse: (String) throws -> Value
    ) -> Value? {
        guard let cell else { return nil }
        do {
            return try parse(cell.text)
        } catch {
            note("\(column.rawValue): \(error)", at: cell.place)
            return nil
        }
    }

    private static func value<Value>(
        _ text: String, _ what: String, _ parse: (String) -> Value?
    ) throws -> Value {
        guard let value = parse(text) else { throw ValueFault("\(text) is not \(what)") }
        return value
    }

    /// `role=storage pool=a`.
    private static func labels(_ text: String) throws -> [String: String] {
        var labels: [String: String] = [:]
        for word in text.split(whereSeparator: { $0 == " " || $0 == ";" }) {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else { throw ValueFault("\(word) is not name=value") }
            guard labels.updateValue(parts[1], forKey: parts[0]) == nil else {
                throw ValueFault("\(parts[0]) is here twice")
            }
        }
        return labels
    }

    private static func trimmed(_ text: String) -> String {
        var rest = Substring(text)
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
