import NetworkAddresses

extension MachineNetwork {
    /// Interfaces that one machine may have.
    static let limit = 64

    /// Finds each port among the machine's, and looks for contradictions.
    public func resolved(among known: [KnownPort]) throws(NetworkFault) -> SystemNetwork {
        try checkNames()
        var ports: [SystemNetwork.Port] = []
        for (name, port) in nics.sorted(by: { $0.key < $1.key }) {
            let path = "nics.\(name)"
            let mac = try port.port.find(among: known, path: "\(path).port")
            if let other = ports.first(where: { $0.mac == mac }) {
                throw NetworkFault("\(path).port", "it is the same port as \(other.name)")
            }
            let bond = bonds.keys.sorted().first { bonds[$0]?.ports.contains(name) ?? false }
            ports.append(.init(name: name, mac: mac, addressing: port.addressing, mtu: port.mtu, bond: bond))
        }
        var found = SystemNetwork(ports: ports, dns: dns, ntp: ntp)
        for (name, bond) in bonds.sorted(by: { $0.key < $1.key }) {
            found.bonds.append(.init(name: name, ports: try members(of: bond, name, ports), settings: bond))
        }
        for (name, vlan) in vlans.sorted(by: { $0.key < $1.key }) {
            try check(vlan, "vlans.\(name)", found)
            found.vlans.append(.init(name: name, settings: vlan))
        }
        try found.check()
        return found
    }

    private func checkNames() throws(NetworkFault) {
        let all = nics.keys.map { ("nics", $0) } + bonds.keys.map { ("bonds", $0) } + vlans.keys.map { ("vlans", $0) }
        guard all.count <= Self.limit else { throw NetworkFault("nics", "more than \(Self.limit) interfaces") }
        for (kind, name) in all.sorted(by: <) {
            if let reason = Self.nameFault(name) { throw NetworkFault("\(kind).\(name)", reason) }
            guard all.count(where: { $0.1 == name }) == 1 else {
                throw NetworkFault("\(kind).\(name)", "two interfaces have this name")
            }
        }
    }

    /// Linux takes 15 bytes (IFNAMSIZ). Names that the kernel or udev give themselves would clash with theirs.
    static func nameFault(_ name: String) -> String? {
        let bytes = Array(name.utf8)
        let isFine = bytes.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x2d || byte == 0x5f
        }
        guard isFine, (1...15).contains(bytes.count), let first = bytes.first, (0x61...0x7a).contains(first) else {
            return "an interface's name is 1 to 15 lower-case letters, digits, '-' and '_', a letter first"
        }
        let taken = ["eth", "wlan", "eno", "ens", "enp", "enx", "enP", "veth", "dummy"]
        if name == "lo"
            || taken.contains(where: { name.hasPrefix($0) && name.dropFirst($0.count).first?.isNumber == true })
        {
            return "the system gives such names itself; take another, such as lan0"
        }
        return nil
    }

    private func members(
        of bond: Bond, _ name: String, _ ports: [SystemNetwork.Port]
    ) throws(NetworkFault) -> [SystemNetwork.Port] {
        let path = "bonds.\(name)"
        guard !bond.ports.isEmpty else { throw NetworkFault("\(path).ports", "a bond has at least one port") }
        guard (10...10_000).contains(bond.monitorMilliseconds) else {
            throw NetworkFault("\(path).monitorMilliseconds", "10 to 10000 milliseconds")
        }
        guard bond.lacpRate == nil || bond.mode == .lacp else {
            throw NetworkFault("\(path).lacpRate", "only 802.3ad has a rate, and this is \(bond.mode.rawValue)")
        }
        guard bond.hash == nil || [.lacp, .xor, .transmitBalancing].contains(bond.mode) else {
            throw NetworkFault("\(path).hash", "\(bond.mode.rawValue) does not hash")
        }
        var members: [SystemNetwork.Port] = []
        for wanted in bond.ports {
            guard let port = ports.first(where: { $0.name == wanted }) else {
                throw NetworkFault("\(path).ports", "there is no \(wanted) among nics")
            }
            guard port.bond == name, !members.contains(port) else {
                throw NetworkFault("\(path).ports", "\(wanted) is in a bond already")
            }
            guard port.addressing.isEmpty else {
                throw NetworkFault("nics.\(wanted)", "it is part of \(name), which has the addresses")
            }
            guard port.mtu == nil || port.mtu == bond.mtu else {
                throw NetworkFault("nics.\(wanted).mtu", "it is part of \(name), which says the MTU")
            }
            members.append(port)
        }
        return members
    }

    private func check(_ vlan: VLAN, _ path: String, _ found: SystemNetwork) throws(NetworkFault) {
        guard (1...4094).contains(vlan.id) else { throw NetworkFault("\(path).id", "1 to 4094") }
        let port = found.freePorts.first { $0.name == vlan.on }
        let bond = found.bonds.first { $0.name == vlan.on }
        guard port != nil || bond != nil else {
            throw NetworkFault("\(path).on", "\(vlan.on) is neither a bond nor a port that stands for itself")
        }
        if let other = found.vlans(on: vlan.on).first(where: { $0.settings.id == vlan.id }) {
            throw NetworkFault("\(path).id", "\(other.name) is VLAN \(vlan.id) on \(vlan.on) already")
        }
        let below = port?.mtu ?? bond?.settings.mtu ?? 1500
        guard (vlan.mtu ?? 0) <= below else {
            throw NetworkFault("\(path).mtu", "\(vlan.on) below it carries \(below) bytes")
        }
    }
}

extension PortReference {
    fileprivate func find(among known: [KnownPort], path: String) throws(NetworkFault) -> MACAddress {
        let found = known.filter { port in
            switch self {
            case .mac(let mac): port.mac == mac
            case .pci(let address): port.pciAddress == address
            case .slot(let label): port.slot == label
            }
        }
        guard let port = found.first else {
            let ports = known.map {
                ([$0.mac.description] + [$0.pciAddress, $0.slot].compactMap { $0 }).joined(separator: " ")
            }
            throw NetworkFault(path, "the machine has no port \(self); it has \(ports.joined(separator: ", "))")
        }
        guard found.count == 1 else {
            let macs = found.map(\.mac.description).joined(separator: ", ")
            throw NetworkFault(path, "\(found.count) ports are \(self): \(macs); name one by its address")
        }
        return port.mac
    }
}
