import DHCP
import Foundation
import LLDP
import Machines
import NetworkAddresses
import Redfish
import SMBIOS
import TFTP

@testable import IPMI
@testable import NetworkBoot

/// What is fed with made-up bytes. A target says more than "it does not trap" where more is true of every input.
let targets: [String: @Sendable ([UInt8]) -> Void] = [
    "dhcp": { bytes in
        guard let message = try? Message(parsing: bytes) else { return }
        _ = (message.mac, message.userClasses, message.ipxeLacksHTTP, message.relayInformation, message.pxe?.encoded)
        // What we would write, we read back as the same.
        guard let again = try? Message(parsing: message.encoded) else { fatalError("our own bytes are not read") }
        if message.sname.count < 64, message.file.count < 128 {
            precondition(again == message, "\(message) is \(again)")
        }
    },
    "dhcpv6": { bytes in
        guard let source = IPv6Address("fe80::216:3eff:fe00:61"), bytes.count > 1,
            let arrival = try? DHCPv6Arrival(parsing: Array(bytes.dropFirst()), from: source)
        else { return }
        precondition((try? DHCPv6Message(parsing: arrival.message.encoded)) == arrival.message, "not read as written")
        let network = DHCPv6Network(
            mode: bytes[0] & 1 == 0 ? .address : .stateless, interface: "eth1", prefix: 1,
            server: IPv6Address(high: 1, low: 1))
        var responder = DHCPv6Responder(network, files: BootFiles(bootPort: 8080), identifier: [0, 4])
        let told = BootInstruction(bytes[0] & 2 == 0 ? .agent : .ignore)
        guard let answer = responder.handle(arrival.message, mac: arrival.mac, told: told, now: .distantPast) else {
            return
        }
        precondition(!arrival.datagram(answer).isEmpty && (try? DHCPv6Message(parsing: answer.encoded)) == answer)
    },
    "dhcp-server": { bytes in
        // Each packet is a length and its bytes; the leases of one server go through all of them.
        var responder = SubnetResponder(Served.subnet, files: BootFiles(bootPort: 8080))
        var rest = bytes[...]
        var now = Date(timeIntervalSince1970: 1_800_000_000)
        while let length = rest.popFirst() {
            let packet = rest.prefix(Int(length) * 4)
            rest = rest.dropFirst(packet.count)
            now += Double(length)
            guard let message = try? Message(parsing: packet) else { continue }
            let arrival = Arrival(
                port: length & 1 == 0 ? .server : .proxy, interface: "eth1",
                source: (address: IPv4Address(rawValue: UInt32(length)), port: 68))
            let told = BootInstruction(
                length & 2 == 0 ? .agent : .ignore, proxyForm: length & 4 == 0 ? .bootMenu : .bootServer)
            _ = responder.handle(message, arrival, told: told, now: now).reply?.message.encoded
        }
        let leases = responder.pool.leases
        precondition(Set(leases.map(\.address)).count == leases.count, "two machines at one address: \(leases)")
    },
    "redfish": { bytes in
        guard let json = try? JSON(parsing: bytes) else { return }
        precondition((try? JSON(parsing: Array(json.description.utf8))) == json, "not read as written")
        let path = json.path ?? .root
        precondition(ResourcePath(path.rawValue) == path, "a path that is none: \(path)")
        let system = ComputerSystem(json, at: path)
        _ = SystemChoice.choose([system, system], known: .init(uuid: system.uuid, serial: system.serial))
        for verb in PowerVerb.allCases { _ = PowerPlan.decide(verb, from: system.power, allowed: nil) }
        let plan = system.boot.flatMap { BootPlan.decide(.network, uefi: true, offered: $0) }
        _ = (plan?.compare(system.boot), Chassis(json, at: path), Manager(json, at: path), LogService(json, at: path))
        _ = (VirtualMedia(json, at: path), ServiceRoot(json), TaskState(json), SoftwareComponent(json), LogRecord(json))
        _ = (SensorValue(sensor: json), SensorValue.thermal(json), SensorValue.power(json), biosAttributes(json))
        _ = (CollectionPage(json), ServiceMessage.all(in: json), SecureBoot(json), ManagerAccount(json))
        var events = ServerSentEvents()
        _ = try? events.receive(bytes)
    },
    "tftp": { bytes in
        guard let packet = try? TFTP.Packet(parsing: bytes) else { return }
        _ = packet.encoded
        guard case .readRequest(let request) = packet else { return }
        let size = bytes.count * 100
        var session = ReadSession(fileSize: size, negotiation: Negotiation(request, fileSize: size))
        var now: Nanoseconds = 0
        _ = session.handle(.started, at: now)
        for (index, byte) in bytes.enumerated() {
            now += 10_000_000
            let action = session.handle(index % 5 == 4 ? .timerFired : .acknowledged(UInt16(byte)), at: now)
            guard case .sendBlocks(let blocks) = action else { continue }
            for index in blocks {
                let (_, offset, length) = session.block(index)
                precondition(offset >= 0 && length >= 0 && offset + length <= size, "block \(index) is not in the file")
            }
        }
    },
    "http": { bytes in
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        let target = String(lines.first ?? "")
        for request in [BootRequest(target: target, client: nil), BootRequest(tftp: target, client: nil)] {
            if case .bootFile(let name) = request {
                precondition(BootFileDirectory("/nonexistent").open(name) == nil)
            }
        }
        let header = lines.count > 1 ? String(lines[1]) : nil
        if case .part(let range) = ByteRange(header: header, size: 1000) {
            precondition(range.lowerBound >= 0 && range.upperBound <= 1000 && !range.isEmpty, "\(range)")
        }
        _ = FileAnswer(tag: "\"a\"", size: 1000) { _ in header }
    },
    "syslog": { bytes in
        let text = SyslogMessage(bytes).text
        precondition(text.utf8.count <= 200 && text.utf8.allSatisfy { (0x20...0x7e).contains($0) }, text)
    },
    "lldp": { bytes in
        guard let unit = try? LLDPDataUnit(parsing: bytes) else { return }
        for text in [unit.systemName, unit.portDescription, unit.chassis.description, unit.port.description] {
            precondition(text?.isEmpty != true && text?.contains("\u{1b}") != true, "a text is words or none")
        }
        precondition((1...4094).contains(unit.portVLAN ?? 1))
    },
    "program": { bytes in
        for authority in ProgramSignature.authorities(of: bytes) ?? [] { precondition(!authority.contains("\n")) }
    },
    "smbios": { bytes in
        let table = SMBIOSTable(bytes)
        precondition(table.structures.count * 6 <= bytes.count, "more structures than bytes")
        for structure in table.structures {
            for offset in -1...256 {
                _ = (structure.uint8(at: offset), structure.uint16(at: offset), structure.uint32(at: offset))
                precondition(structure.text(at: offset)?.isEmpty != true, "an empty text is none")
            }
        }
        for device in table.memoryDevices { precondition(device.sizeBytes ?? 1 > 0, "\(device)") }
        _ = (table.firmware, table.system, table.board, table.chassis, table.managementInterface, table.tpm)
        _ = (table.processors, table.memoryArrays, SMBIOSVersion(entryPoint: bytes))
        for place in table.places { precondition(place.pciAddress.utf8.count == 12, "\(place)") }
    },
    "ipmi": { bytes in
        // Each datagram is a length and its bytes; the random numbers are fixed, so that a corpus can learn to answer them.
        var handshake = Handshake(
            suite: .allCases[0], credentials: .init(username: "me", password: "secret"), consoleID: 0x0102_0304,
            consoleRandom: Array(repeating: 7, count: 16))
        _ = handshake.start()
        var rest = bytes[...]
        while let length = rest.popFirst() {
            let datagram = Array(rest.prefix(Int(length)))
            rest = rest.dropFirst(datagram.count)
            _ = handshake.receive(datagram)
            _ = IPMI.Packet(parsing: datagram)
            _ = Response(message: datagram)
            _ = Probing.response(datagram, to: .authenticationCapabilities)
        }
    },
    "ipmi-records": { bytes in
        // What a BMC tells inside a session: the first byte says as what the rest is read.
        guard let kind = bytes.first, case let rest = Array(bytes.dropFirst()) else { return }
        switch kind % 5 {
        case 0:
            if case .sensor(let sensor) = SensorDataRecord(rest) {
                for sensor in sensor.all {
                    guard let reading = RawReading(answer: rest) else { break }
                    let value = SensorValue(reading, of: sensor, conversion: sensor.conversion)
                    precondition(value.value?.isFinite ?? true)
                }
            }
        case 1: _ = EventLogEntry(rest)?.told()
        case 2: _ = FRUInformation(rest)
        case 3: _ = CipherSuiteList.numbers(rest)
        default:
            // Answers of 24 bytes, each with its completion code: whatever they say, the readers go on or stop.
            var (sensors, log, fru) = (SensorRepositoryReading(), EventLogReading(keep: 4), FRUReading())
            for start in stride(from: 0, to: rest.count, by: 24) {
                let answer = Array(rest[start..<min(start + 24, rest.count)])
                let (code, data) = (CompletionCode(rawValue: answer[0]), Array(answer.dropFirst()))
                try? sensors.receive(code, data)
                try? log.receive(code, data)
                try? fru.receive(code, data)
                _ = (sensors.next(), log.next(), fru.next())
            }
        }
    },
]

private enum Served {
    static let subnet = Subnet(
        mode: .auto, interface: "eth1", network: IPv4Network("10.77.0.0/24"), server: IPv4Address(10, 77, 0, 1),
        pools: [IPv4Address(10, 77, 0, 50)...IPv4Address(10, 77, 0, 53)],
        reservations: [.init(key: .mac(MACAddress(rawValue: 0x5254_0012_3456)), address: IPv4Address(10, 77, 0, 9))])
}
