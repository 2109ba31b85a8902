import DHCP
import FoundationEssentials
import Machines
import NetworkAddresses

/// Answers the machines of one IPv6 network (RFC 8415 §18.3, RFC 5970). Pure but for the addresses that clients found in use.
struct DHCPv6Responder: Sendable {
    let network: DHCPv6Network
    let files: BootFiles
    /// TFTP's port, named where it is not 69.
    let tftpPort: Int
    /// DUID of ours, the same after a restart.
    let identifier: [UInt8]
    private var declined: [IPv6Address: Date] = [:]

    /// Seconds for which an address that was found in use is not given.
    static let declinedSeconds: Double = 3600
    static let declinedCapacity = 1024

    init(_ network: DHCPv6Network, files: BootFiles, tftpPort: Int = 69, identifier: [UInt8]) {
        (self.network, self.files, self.tftpPort, self.identifier) = (network, files, tftpPort, identifier)
    }

    /// - Parameters:
    ///   - mac: nil where nothing tells it: such a client can have an address, and no boot.
    ///   - told: what this machine is to boot; one that is ignored gets no answer.
    /// - Returns: the answer; nil: silence.
    mutating func handle(
        _ request: DHCPv6Message, mac: MACAddress?, told: BootInstruction, now: Date
    ) -> DHCPv6Message? {
        guard isForUs(request), told.action != .ignore || Self.isFarewell(request.type) else { return nil }
        let client = request.options[.clientIdentifier]
        guard client != nil || request.type == .informationRequest else { return nil }
        guard request.type == .informationRequest || network.mode == .address else { return nil }
        var reply = DHCPv6Message(.reply, transaction: request.transaction)
        reply.options[.clientIdentifier] = client
        reply.options[.serverIdentifier] = identifier
        switch request.type {
        case .solicit:
            if request.options[.rapidCommit] != nil {
                reply.options[.rapidCommit] = []
            } else {
                reply.type = .advertise
            }
            assign(to: request, mac, &reply, now)
        case .request, .renew, .rebind: assign(to: request, mac, &reply, now)
        case .confirm:
            let named = request.options.associations.flatMap(\.addresses)
            guard !named.isEmpty else { return nil }
            let isHere = named.allSatisfy(network.contains)
            reply.options[.statusCode] =
                isHere ? DHCPv6Status.success.encoded("") : DHCPv6Status.notOnLink.encoded("not of \(network.name)")
            return reply
        case .decline:
            // Its own address only: nobody moves another machine to a new one.
            for address in request.options.associations.flatMap(\.addresses)
            where network.contains(address) && mac != nil && MachineAddress.mac(in: address) == mac {
                decline(address, now)
            }
            reply.options[.statusCode] = DHCPv6Status.success.encoded("")
            return reply
        case .release:
            reply.options[.statusCode] = DHCPv6Status.success.encoded("")
            return reply
        case .informationRequest: break
        default: return nil
        }
        describe(request, mac, told, &reply)
        return reply
    }

    /// What says that an address is not used any more. It carries no word of booting, and is answered whoever sends it: EDK2 waits
    /// for the answer when a boot program takes the NIC over, for ever.
    private static func isFarewell(_ type: DHCPv6MessageType) -> Bool { type == .release || type == .decline }

    /// A server that others are addressed to is silent; messages to all name no server, and those to one do (RFC 8415 §16).
    private func isForUs(_ request: DHCPv6Message) -> Bool {
        let server = request.options[.serverIdentifier]
        return switch request.type {
        case .solicit, .confirm, .rebind: server == nil
        case .request, .renew, .release, .decline: server == identifier
        case .informationRequest: server == nil || server == identifier
        default: false
        }
    }

    /// One address for the first IA_NA; a machine has no use for more while it boots.
    private mutating func assign(
        to request: DHCPv6Message, _ mac: MACAddress?, _ reply: inout DHCPv6Message, _ now: Date
    ) {
        let address = address(request, mac, now)
        for (index, association) in request.options.associations.enumerated() {
            guard index == 0 else {
                reply.options.append(
                    .addressAssociation,
                    AddressAssociation.refuse(association.id, .noAddresses, "one address for one machine"))
                continue
            }
            // What it had and is not its own any more: of another network, or found in use.
            let over =
                request.type == .request || request.type == .solicit
                ? [] : association.addresses.filter { $0 != address }
            reply.options.append(
                .addressAssociation,
                AddressAssociation.grant(address, to: association.id, seconds: network.leaseSeconds, over: over))
        }
    }

    private mutating func address(_ request: DHCPv6Message, _ mac: MACAddress?, _ now: Date) -> IPv6Address {
        declined = declined.filter { now.timeIntervalSince($0.value) < Self.declinedSeconds }
        guard let mac else {
            return MachineAddress(ofIdentifier: request.options[.clientIdentifier] ?? [], prefix: network.prefix)
                .address
        }
        let candidates = (0..<16).map { MachineAddress(of: mac, prefix: network.prefix, attempt: $0).address }
        return candidates.first { declined[$0] == nil && $0 != network.server } ?? candidates[0]
    }

    private mutating func decline(_ address: IPv6Address, _ now: Date) {
        if declined.count >= Self.declinedCapacity { declined.removeAll() }
        declined[address] = now
    }

    private func describe(
        _ request: DHCPv6Message, _ mac: MACAddress?, _ told: BootInstruction, _ reply: inout DHCPv6Message
    ) {
        if !network.nameServers.isEmpty { reply.options[.nameServers] = network.nameServers.flatMap(\.bytes) }
        if let domain = network.domainName {
            reply.options[.domainList] =
                domain.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
        }
        // GRUB alone was never seen to find its configuration by IPv6; iPXE leads to the disk as well.
        let program = told.program == .grub ? .standard : told.program
        guard let question = request.options.bootQuestion(mac),
            let file = files.file(for: question, program, host: "[\(network.server)]")
        else { return }
        // UEFI takes a URL only, by TFTP too (UEFI 2.10 §24.3.2).
        let port = tftpPort == 69 ? "" : ":\(tftpPort)"
        let url = file.contains("://") ? file : "tftp://[\(network.server)]\(port)/\(file)"
        reply.options[.bootFileURL] = Array(url.utf8)
        if request.options.isHTTPClient {
            // Without these words UEFI HTTP boot passes the offer over (EDK2 HttpBootDhcp6.c). Intel's enterprise number, as it asks.
            let words = Array("HTTPClient".utf8)
            reply.options[.vendorClass] = [0, 0, 1, 87, 0, UInt8(words.count)] + words
        }
    }
}

extension DHCPv6Options {
    func bootQuestion(_ mac: MACAddress?) -> BootQuestion? {
        mac.map {
            BootQuestion(
                mac: $0, uuid: machineUUID, architecture: architecture, isIPXE: isIPXE, isHTTPClient: isHTTPClient,
                isNetworkBoot: isNetworkBoot)
        }
    }
}
