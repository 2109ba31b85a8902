import CAgent
import Glibc
import Inventory
import LLDP
import Synchronization

/// What switches have said, by the NIC that heard it.
public final class NeighbourTable: Sendable {
    private struct Entry {
        var neighbour: LLDPNeighbour
        /// By the agent's uptime, in seconds.
        var until: Double
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var changes = 0
    }

    private let state = Mutex(State())

    public init() {}

    /// Grows whenever a neighbour comes, changes or goes.
    public var changes: Int { state.withLock { $0.changes } }

    func neighbour(of name: String) -> LLDPNeighbour? { state.withLock { $0.entries[name]?.neighbour } }

    func hear(_ unit: LLDPDataUnit, on name: String, at uptime: Double) {
        state.withLock { state in
            let former = state.entries[name]?.neighbour
            state.entries[name] =
                unit.secondsToLive == 0
                ? nil : Entry(neighbour: LLDPNeighbour(unit), until: uptime + Double(unit.secondsToLive))
            if state.entries[name]?.neighbour != former { state.changes += 1 }
        }
    }

    /// Forgets what holds no longer.
    func expire(at uptime: Double) {
        state.withLock { state in
            let lasting = state.entries.filter { $0.value.until > uptime }
            if lasting.count != state.entries.count { state.changes += 1 }
            state.entries = lasting
        }
    }
}

extension LLDPNeighbour {
    init(_ unit: LLDPDataUnit) {
        self.init(
            system: unit.systemName ?? unit.chassis.description, port: unit.port.description,
            portDescription: unit.portDescription, vlan: unit.portVLAN.map { Int($0) })
    }
}

/// Listens on all links for what switches say of themselves, every thirty seconds as a rule. It says nothing itself. Links are set up, since a
/// link that is down hears nothing. Some NICs keep these frames for their own firmware (Intel X710 unless its `disable-fw-lldp` flag is set).
final class NeighbourListener: Sendable {
    private let files: SystemFiles
    private let table: NeighbourTable

    init(files: SystemFiles, table: NeighbourTable) { (self.files, self.table) = (files, table) }

    /// Never returns but when there are no packet sockets.
    /// - Parameter heard: called with each unit; for the console.
    func run(heard: (String, LLDPDataUnit) -> Void = { _, _ in }) {
        let socket = agent_lldp_socket()
        guard socket >= 0 else { return Console.say("no word of switches: \(String(cString: strerror(errno)))") }
        defer { close(socket) }
        var joined: [Int32: String] = [:]
        var buffer = [UInt8](repeating: 0, count: 2048)
        while true {
            join(socket, &joined)
            var wanted = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            if poll(&wanted, 1, 2000) > 0 {
                var index: Int32 = 0
                let count = agent_lldp_receive(socket, &buffer, Int32(buffer.count), &index)
                if count > 0, let name = joined[index],
                    let unit = try? LLDPDataUnit(parsing: buffer.prefix(Int(count)))
                {
                    table.hear(unit, on: name, at: Console.uptime)
                    heard(name, unit)
                }
            }
            table.expire(at: Console.uptime)
        }
    }

    /// NICs come while drivers are loaded.
    private func join(_ socket: Int32, _ joined: inout [Int32: String]) {
        for name in files.list("/sys/class/net") {
            let base = "/sys/class/net/\(name)"
            guard let index = files.number(base + "/ifindex").map({ Int32(truncatingIfNeeded: $0) }),
                joined[index] == nil, files.number(base + "/type") == 1,
                // VLANs, bonds and bridges hear what the links below them do.
                !(files.text(base + "/uevent") ?? "").contains("DEVTYPE=")
            else { continue }
            if agent_link_set_up(name, 1) == 0, agent_lldp_join(socket, index) == 0 { joined[index] = name }
        }
    }
}
