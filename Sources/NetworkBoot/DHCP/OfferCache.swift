import DHCP
import Glibc
import Inventory
import Machines
import NetworkAddresses

/// Offers to machines that ask alike, such as a rack of one model that powers on: made once by the responder of their subnet, then
/// filled in for each of them, as the packet cache of a name server does. A proxy's offers to firmware only: they depend on who asks
/// by nothing but what ``BootInstruction`` says. Bounded; questions that differ cost a comparison each.
struct OfferCache {
    /// A question without who asks it.
    struct Entry {
        fileprivate let question: [UInt8]
        fileprivate let interface: String?
        fileprivate let client: BootClient
        /// Switch and port, as a relay told them.
        let location: String?
        fileprivate var offers: [(told: BootInstruction, offer: Offer)] = []
    }

    /// An offer without whom it is for.
    struct Offer {
        fileprivate let packet: ReplyPacket
        fileprivate let uuid: Range<Int>?
        /// Boot file that it names.
        let file: String?
    }

    /// A packet whose like was answered before.
    struct Match {
        let entry: Entry
        /// Who asks this time.
        let client: BootClient
        fileprivate let uuid: Range<Int>?

        /// The offer of before, to a client that is to be told the same.
        func offer(_ told: BootInstruction) -> Offer? { entry.offers.first { $0.told == told }?.offer }

        /// `offer` filled in for the client that sent `bytes`.
        func packet(_ offer: Offer, answering bytes: [UInt8]) -> ReplyPacket {
            var packet = offer.packet
            packet.bytes.withUnsafeMutableBytes { answer in
                bytes.withUnsafeBytes { question in
                    for field in [Asker.exchange, Asker.mac] {
                        answer[field].copyBytes(from: question[field])
                    }
                    if let from = uuid, let to = offer.uuid { answer[to].copyBytes(from: question[from]) }
                }
            }
            return packet
        }
    }

    static let capacity = 32

    private var entries: [Entry] = []
    private var next = 0
    private var scratch: [UInt8] = []

    /// What is known of packets like this one.
    mutating func match(_ bytes: [UInt8], interface: String?) -> Match? {
        guard !entries.isEmpty, let asker = Asker(bytes) else { return nil }
        scratch.removeAll(keepingCapacity: true)
        scratch.append(contentsOf: bytes)
        asker.blank(&scratch)
        guard let entry = entries.first(where: { $0.interface == interface && $0.question == scratch }) else {
            return nil
        }
        var client = entry.client
        client.mac = asker.mac(in: bytes)
        client.uuid = asker.uuid.flatMap {
            bytes[$0].first == 0 ? SystemUUID(smbios: Array(bytes[$0].dropFirst())) : nil
        }
        return client.mac.isMulticast ? nil : Match(entry: entry, client: client, uuid: asker.uuid)
    }

    /// Keeps an offer for others who ask the same.
    mutating func keep(
        _ reply: Reply, _ packet: ReplyPacket, to bytes: [UInt8], _ request: Message, interface: String?,
        _ client: BootClient,
        told: BootInstruction
    ) {
        guard let asker = Asker(bytes) else { return }
        var question = bytes
        asker.blank(&question)
        guard let answered = Asker(packet.bytes), answered.uuid?.count == asker.uuid?.count else { return }
        let offer = Offer(
            packet: packet, uuid: answered.uuid,
            file: reply.message.options.value(.bootFileName).map { String(decoding: $0, as: UTF8.self) })
        if let index = entries.firstIndex(where: { $0.interface == interface && $0.question == question }) {
            entries[index].offers = entries[index].offers.suffix(7) + [(told, offer)]
            return
        }
        let entry = Entry(
            question: question, interface: interface, client: client, location: request.relayInformation?.location,
            offers: [(told, offer)])
        if entries.count < Self.capacity {
            entries.append(entry)
        } else {
            entries[next] = entry
            next = (next + 1) % Self.capacity
        }
    }
}

/// Where a packet says who sent it: fields that an answer echoes (RFC 2131 §4.3.1, RFC 4578 §2.3), and the client identifier, which
/// decides about addresses only.
private struct Asker {
    /// xid and secs.
    static let exchange = 4..<10
    /// The six bytes of an Ethernet address in chaddr.
    static let mac = 28..<34
    private static let options = 240

    /// The value of option 97.
    let uuid: Range<Int>?
    private let clientIdentifier: Range<Int>?

    /// Nil where that cannot be told by looking: options that are broken or go on in other fields.
    init?(_ bytes: [UInt8]) {
        // htype, hlen: Ethernet.
        guard bytes.count > Self.options, bytes[1] == 1, bytes[2] == 6 else { return nil }
        var (uuid, identifier): (Range<Int>?, Range<Int>?)
        var offset = Self.options
        while offset < bytes.count {
            let code = OptionCode(rawValue: bytes[offset])
            if code == .end { break }
            offset += 1
            if code == .pad { continue }
            guard offset < bytes.count, offset + 1 + Int(bytes[offset]) <= bytes.count, code != .overload else {
                return nil
            }
            let value = offset + 1..<offset + 1 + Int(bytes[offset])
            // Of a value in parts (RFC 3396) the last counts, and the answer's, which has them joined, is longer.
            if code == .machineIdentifier { uuid = value }
            if code == .clientIdentifier { identifier = value }
            offset = value.upperBound
        }
        (self.uuid, clientIdentifier) = (uuid, identifier)
    }

    func mac(in bytes: [UInt8]) -> MACAddress {
        MACAddress(rawValue: bytes[Self.mac].reduce(0) { $0 << 8 | UInt64($1) })
    }

    func blank(_ bytes: inout [UInt8]) {
        bytes.withUnsafeMutableBytes { bytes in
            for field in [Self.exchange, Self.mac, uuid ?? 0..<0, clientIdentifier ?? 0..<0] {
                for index in field { bytes[index] = 0 }
            }
        }
    }
}
