import Crypto
import FoundationEssentials
import Machines
import NetworkAddresses
import Store

/// Hears what installers, and systems at their first start, tell of an installation.
public struct InstallationDesk: Sendable {
    let store: any RecordStore
    /// Opens what is sealed at rest.
    let key: SymmetricKey
    let wakeups: Wakeups
    let now: @Sendable () -> Date

    /// Bytes of what an installer may add in its own words; of more the end counts.
    public static let limit = 16 << 10

    /// - Parameter text: an installer's own words, as evidence.
    /// - Throws: ``ServiceError`` `notFound` for a ticket that is none, or whose operation is over.
    public func note(_ news: InstallationNews, ticket: String, text: String) async throws {
        let now = now()
        let words = Self.plain(text)
        let machine = try await store.transaction { transaction in
            let (ticket, known, current) = try await installation(ticket, in: transaction, at: now)
            var (machine, operation) = (known, current)
            guard operation.hear(news, words, about: &machine, at: now) else { return ticket.machine }
            try transaction.put(machine)
            try transaction.put(operation)
            try transaction.put(
                Event.now(
                    .installerNews, machine: machine.id, actor: "installer", Self.sentence(news, operation),
                    details: ["operation": operation.id].merging(words.isEmpty ? [:] : ["said": words]) { $1 }, at: now)
            )
            return ticket.machine
        }
        wakeups.wake(machine)
    }

    /// A file that the installer asks for. The first time is told in the trail, and is the end of an installer that tells nothing else.
    /// - Parameter address: where it asks from. With its ticket it has shown that it is the machine.
    /// - Throws: ``ServiceError`` `notFound`.
    public func file(_ name: String, ticket: String, from address: String) async throws -> String {
        let now = now()
        let (machine, content) = try await store.transaction { transaction in
            let (ticket, known, current) = try await installation(ticket, in: transaction, at: now)
            var (machine, operation) = (known, current)
            guard let content = try ticket.content(of: name, key: key) else {
                throw ServiceError(.notFound, "this installation has no file of that name")
            }
            if ticket.isListenedTo ?? false { operation.listen(to: [IPAddress(address)].compactMap { $0 }) }
            guard operation.hear(ticket.endsWhenFetched ? .installed : .started, about: &machine, at: now) else {
                if operation != current { try transaction.put(operation) }
                return (ticket.machine, content)
            }
            try transaction.put(machine)
            try transaction.put(operation)
            let release = operation.assignment?.release ?? "the system"
            try transaction.put(
                Event.now(
                    .installerNews, machine: machine.id, actor: "installer",
                    "the installer of \(release) has fetched its \(name)"
                        + (ticket.endsWhenFetched ? ": from here on the machine is its disk's" : ""),
                    details: ["operation": operation.id], at: now))
            return (ticket.machine, content)
        }
        wakeups.wake(machine)
        return content
    }

    /// - Throws: ``ServiceError`` `notFound` for a ticket that is none, or whose operation is over.
    private func installation(
        _ ticket: String, in transaction: Transaction, at now: Date
    ) async throws -> (InstallationTicket, Machine, Operation) {
        guard let ticket = try await transaction.get(InstallationTicket.self, Credential.hash(ticket)),
            now < ticket.expiresAt, let machine = try await transaction.get(Machine.self, ticket.machine),
            let operation = try await transaction.get(Operation.self, ticket.operation), !operation.isFinished,
            operation.ticket == ticket.id, machine.observed.operation == operation.id
        else { throw ServiceError(.notFound, "this installation is over, or never was") }
        return (ticket, machine, operation)
    }

    private static func sentence(_ news: InstallationNews, _ operation: Operation) -> String {
        let release = operation.assignment?.release ?? "the system"
        return switch news {
        case .started: "the installer of \(release) began"
        case .installed: "\(release) is installed, by its own installer's word"
        case .failed: "the installer of \(release) failed"
        case .firstBoot: "\(release) runs for the first time"
        case .joined: "\(release) joined its cluster, by its own word"
        }
    }

    /// Strangers' words: lines, and nothing that a terminal would obey: neither C0 nor C1 (ECMA-48 section 5), whose 0x9b is ESC [.
    static func plain(_ text: String) -> String {
        let end = String(decoding: text.utf8.suffix(limit), as: UTF8.self)
        let kept = end.unicodeScalars.filter { $0.properties.generalCategory != .control || $0 == "\n" }
        return String(String.UnicodeScalarView(kept)).split(separator: "\n").suffix(100).joined(separator: "\n")
    }
}
