import Crypto
import FoundationEssentials
import Machines
import NetworkAddresses
import Synchronization

/// Makes the tickets that let the agent of one boot open its session, and knows its own again. A ticket says itself when and for
/// whom it was made, and is signed: nothing is stored before it is used, so a hall of machines that powers on, or a flood of
/// made-up ones, costs the store nothing; and a daemon that starts anew takes the tickets of the one before.
///
/// In hex: milliseconds since 1970 (8 bytes), a number of its own (8), the IPv4 address that asked (4, zero: unknown), and the
/// HMAC-SHA256 (RFC 2104) of the MAC and all of these.
public final class TicketOffice: Sendable {
    private struct State {
        /// Of the newest ticket, counted from anywhere.
        var number = UInt64.random(in: .min ... .max)
        /// The number of the newest ticket of each MAC: it makes the ones before it worthless. What is forgotten here, by a
        /// restart or in a flood, still cannot be used after a newer one.
        var newest = RecentTable<MACAddress, UInt64>(generation: 16384)
        /// Has taken the key, which is half of the work.
        let keyed: HMAC<SHA256>
    }

    private let key: SymmetricKey
    private let state: Mutex<State>

    private static let headBytes = 20

    /// - Parameter secret: of the installation; the tickets' key is derived from it (RFC 5869).
    public init(secret: SymmetricKey) {
        key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: secret, info: Data("slipway boot ticket".utf8), outputByteCount: 32)
        state = Mutex(State(keyed: HMAC(key: key)))
    }

    /// A new ticket, after which no older one of this MAC is good.
    func issue(to client: BootClient, at now: Date) -> String {
        var ticket: [UInt8] = []
        ticket.reserveCapacity(Self.headBytes + SHA256.byteCount)
        Self.append(UInt64(max(0, now.timeIntervalSince1970 * 1000)), 8, to: &ticket)
        let (number, keyed) = state.withLock { state in
            state.number &+= 1
            state.newest.put(state.number, for: client.mac)
            return (state.number, state.keyed)
        }
        Self.append(number, 8, to: &ticket)
        Self.append(UInt64((client.address ?? .unspecified).rawValue), 4, to: &ticket)
        var code = keyed
        code.update(data: signed(ticket, client.mac))
        code.finalize().withUnsafeBytes { ticket.append(contentsOf: $0) }
        return Credential.hex(ticket)
    }

    /// A ticket as it was made.
    struct Reading: Equatable {
        var ticket: BootTicket
        /// This MAC was given another one since, as far as is remembered.
        var isSuperseded: Bool
    }

    /// - Returns: nil for one that is not ours, or not for this MAC.
    func read(_ ticket: String, of mac: MACAddress) -> Reading? {
        guard let bytes = Credential.bytes(hex: ticket), bytes.count == Self.headBytes + SHA256.byteCount else {
            return nil
        }
        let head = Array(bytes.prefix(Self.headBytes))
        guard
            HMAC<SHA256>.isValidAuthenticationCode(
                bytes.dropFirst(Self.headBytes), authenticating: signed(head, mac), using: key)
        else { return nil }
        let address = IPv4Address(rawValue: UInt32(truncatingIfNeeded: Self.number(head[16..<20])))
        let number = Self.number(head[8..<16])
        return Reading(
            ticket: BootTicket(
                mac: mac, hash: Credential.hash(ticket), address: address == .unspecified ? nil : address,
                issuedAt: Date(timeIntervalSince1970: Double(Self.number(head[0..<8])) / 1000)),
            isSuperseded: state.withLock { $0.newest[mac].map { $0 != number } ?? false })
    }

    private func signed(_ head: [UInt8], _ mac: MACAddress) -> [UInt8] { mac.bytes + head }

    private static func append(_ number: UInt64, _ count: Int, to bytes: inout [UInt8]) {
        for index in (0..<count).reversed() { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * index))) }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}
