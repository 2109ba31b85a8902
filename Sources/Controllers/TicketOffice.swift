import Crypto
import FoundationEssentials
import Machines
import NetworkAddresses
import Synchronization

/// Makes the tickets that let the agent of one boot open its session, and knows its own again. A ticket says itself when and for
/// whom it was made, and is signed: nothing is stored before it is used, so a hall of machines that powers on, or a flood of
/// made-up ones, costs the store nothing; and a daemon that starts anew takes the tickets of the one before.
///
/// In hex: milliseconds since 1970 (8 bytes), a random number (8), the IPv4 address that asked (4, zero: unknown), and the
/// HMAC-SHA256 (RFC 2104) of the MAC and all of these.
public final class TicketOffice: Sendable {
    private let key: SymmetricKey
    /// The number of the newest ticket of each MAC: it makes the ones before it worthless. What is forgotten here, by a
    /// restart or in a flood, still cannot be used after a newer one.
    private let newest = Mutex(RecentTable<MACAddress, UInt64>(generation: 16384))

    private static let headBytes = 20

    /// - Parameter secret: of the installation; the tickets' key is derived from it (RFC 5869).
    public init(secret: SymmetricKey) {
        key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: secret, info: Data("slipway boot ticket".utf8), outputByteCount: 32)
    }

    /// A new ticket, after which no older one of this MAC is good.
    func issue(to client: BootClient, at now: Date) -> String {
        let number = UInt64.random(in: .min ... .max)
        var head: [UInt8] = []
        head.reserveCapacity(Self.headBytes)
        Self.append(UInt64(max(0, now.timeIntervalSince1970 * 1000)), to: &head)
        Self.append(number, to: &head)
        withUnsafeBytes(of: (client.address ?? .unspecified).rawValue.bigEndian) { head.append(contentsOf: $0) }
        newest.withLock { $0.put(number, for: client.mac) }
        return Credential.hex(head + HMAC<SHA256>.authenticationCode(for: signed(head, client.mac), using: key))
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
            isSuperseded: newest.withLock { $0[mac].map { $0 != number } ?? false })
    }

    private func signed(_ head: [UInt8], _ mac: MACAddress) -> [UInt8] { mac.bytes + head }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}
