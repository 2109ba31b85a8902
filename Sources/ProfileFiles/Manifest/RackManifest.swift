import Machines

/// Reads files in which staff announce machines: `rack.csv` and `rack.yaml`. Needs no daemon. All faults are told at once.
public struct RackManifest: Sendable {
    public struct Entry: Sendable {
        public var machine: MachineAnnouncement
        public var bmcPassword: String?
        /// Where each part stands; parts that are not there stand where the machine does.
        var places: [MachineAnnouncement.Field: FilePlace]
        var place: FilePlace
    }

    public private(set) var entries: [Entry]
    /// A password stands in the file itself.
    public private(set) var holdsPasswords: Bool

    /// Bytes of a file.
    public static let limit = 8 << 20

    /// - Parameter secret: the contents of a password file; the path is as it is written.
    /// - Throws: ``ProfileFileErrors``.
    public static func read(
        _ text: String, file: String, secret: @escaping (String) throws -> String
    ) throws(ProfileFileErrors) -> RackManifest {
        guard text.utf8.count <= limit else {
            throw ProfileFileErrors(errors: [
                ProfileFileError(
                    file: file, message: "the file has more than \(limit >> 20) MiB; announce a part at a time")
            ])
        }
        var reading = Reading(file: file, secret: secret)
        let name = file.lowercased()
        if name.hasSuffix(".csv") {
            reading.readCSV(text)
        } else if name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
            reading.readYAML(text)
        } else {
            reading.note("the name says neither .csv nor .yaml: which of them is it?", at: FilePlace())
        }
        reading.check()
        guard reading.faults.isEmpty else { throw ProfileFileErrors(errors: reading.faults) }
        return RackManifest(entries: reading.entries, holdsPasswords: reading.holdsPasswords)
    }

    /// What somebody else found wrong with a machine of this file, with its place in the file.
    /// - Parameters:
    ///   - index: of the machine.
    ///   - field: a ``MachineAnnouncement/Field``, or another word.
    public func fault(file: String, index: Int, field: String, _ message: String) -> ProfileFileError? {
        guard entries.indices.contains(index) else { return nil }
        let part = MachineAnnouncement.Field(rawValue: field) ?? (field.hasPrefix("bmc") ? .bmc : nil)
        let place = part.flatMap { entries[index].places[$0] } ?? entries[index].place
        return ProfileFileError(file: file, line: place.line, column: place.column, message: message)
    }

    /// A file as far as it was read, and what is wrong with it.
    struct Reading {
        let file: String
        let secret: (String) throws -> String
        var entries: [Entry] = []
        var faults: [ProfileFileError] = []
        var holdsPasswords = false
        /// What the file calls each part.
        var keys: [MachineAnnouncement.Field: String] = [:]

        init(file: String, secret: @escaping (String) throws -> String) { (self.file, self.secret) = (file, secret) }

        mutating func note(_ message: String, at place: FilePlace) {
            faults.append(ProfileFileError(file: file, line: place.line, column: place.column, message: message))
        }

        /// The password of a machine's BMC, of the file itself or of another.
        func password(_ own: String?, file path: String?) throws(ValueFault) -> String? {
            guard let path else { return own }
            guard own == nil else { throw ValueFault("there is a password already: one of the two") }
            let text: String
            do {
                text = try secret(path)
            } catch {
                throw ValueFault("\(path) cannot be read: \(error)")
            }
            guard let line = text.split(whereSeparator: \.isNewline).first else { throw ValueFault("\(path) is empty") }
            return String(line)
        }

        /// What is wrong with machines that could be read: each by itself, then together.
        mutating func check() {
            if entries.isEmpty, faults.isEmpty { note("no machine is announced here", at: FilePlace()) }
            for entry in entries {
                for fault in entry.machine.faults {
                    note("\(keys[fault.field] ?? fault.field.rawValue): \(fault.reason)", at: place(fault.field, entry))
                }
                if entry.bmcPassword != nil, entry.machine.bmc?.username == nil {
                    note(
                        "\(keys[.bmc] ?? "bmc"): a password goes with a BMC's address and user", at: place(.bmc, entry))
                }
            }
            for clash in AnnouncementClash.all(in: entries.map(\.machine)) {
                let (first, second) = (entries[clash.first], entries[clash.second])
                let line = place(clash.field, first).line.map { "line \($0)" } ?? first.machine.name
                note(
                    "\(keys[clash.field] ?? clash.field.rawValue): \(clash.words) is in \(line) already, for \(first.machine.name)",
                    at: place(clash.field, second))
            }
            // As a person reads the file.
            faults.sort { ($0.line ?? 0, $0.column ?? 0) < ($1.line ?? 0, $1.column ?? 0) }
        }

        private func place(_ field: MachineAnnouncement.Field, _ entry: Entry) -> FilePlace {
            entry.places[field] ?? entry.place
        }
    }
}
