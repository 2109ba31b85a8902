import Crypto
import FoundationEssentials

/// An order as it crosses the wire: the exact bytes that were signed, and an Ed25519 signature of the installation's order key.
public struct SignedOrder: Codable, Equatable, Sendable {
    /// JSON of an ``Order``.
    public var payload: Data
    public var signature: Data

    public init(payload: Data, signature: Data) { (self.payload, self.signature) = (payload, signature) }

    /// Signs `order`.
    public init(_ order: Order, with key: Curve25519.Signing.PrivateKey) throws {
        payload = try JSONEncoder.sorted.encode(order)
        signature = try key.signature(for: Self.domain + payload)
    }

    /// The order, if the signature is the installation's.
    /// - Throws: ``OrderRefusal``.
    public func verified(by key: Curve25519.Signing.PublicKey) throws(OrderRefusal) -> Order {
        guard key.isValidSignature(signature, for: Self.domain + payload) else { throw .badSignature }
        do {
            return try JSONDecoder().decode(Order.self, from: payload)
        } catch {
            throw .unreadable("\(error)")
        }
    }

    /// Put before the payload, so that no other signature of this key can pass for an order's.
    private static let domain = Data("slipway-order-v1\n".utf8)
}

extension JSONEncoder {
    /// Keys in a fixed order, so that equal values have equal bytes.
    static var sorted: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
