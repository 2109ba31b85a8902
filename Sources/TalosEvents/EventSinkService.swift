import GRPCCore
import Logging
import NetworkAddresses
import OperatingSystems
import SwiftProtobuf

/// The one method of `events.EventSinkService`.
struct EventSinkService: RegistrableRPCService {
    let listener: any TalosListener
    let logger: Logger

    init(_ listener: any TalosListener, _ logger: Logger) { (self.listener, self.logger) = (listener, logger) }

    static let publish = MethodDescriptor(fullyQualifiedService: "events.EventSinkService", method: "Publish")

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        router.registerHandler(
            forMethod: Self.publish, deserializer: MessageCoder<Events_EventRequest>(),
            serializer: MessageCoder<Events_EventResponse>()
        ) { request, context in
            let request = try await ServerRequest(stream: request)
            try await hear(request.message, from: context.remotePeer)
            return StreamingServerResponse(single: ServerResponse(message: Events_EventResponse()))
        }
    }

    /// What a machine is refused it tells again, some seconds later.
    private func hear(_ message: Events_EventRequest, from peer: String) async throws {
        guard let event = TalosEvent(message.data), let address = Self.address(of: peer) else { return }
        let isHeard: Bool
        do {
            isHeard = try await listener.hear(event, from: address)
        } catch {
            logger.warning(
                "an event of a Talos machine was not taken, it is told again",
                metadata: ["address": "\(address)", "error": "\(error)"])
            throw RPCError(code: .unavailable, message: "the event could not be stored")
        }
        guard isHeard else { throw RPCError(code: .resourceExhausted, message: "too many events at once") }
    }

    /// Of `ipv4:10.77.0.21:41522`, `ipv6:[fd00::21]:41522`.
    static func address(of peer: String) -> IPAddress? {
        let parts = peer.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let port = parts[1].lastIndex(of: ":") else { return nil }
        let host = parts[1][..<port]
        return IPAddress(String(host.first == "[" ? host.dropFirst().dropLast() : host))
    }
}

/// Messages of protobuf as gRPC has them.
struct MessageCoder<Message: SwiftProtobuf.Message>: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: Message) throws -> Bytes {
        Bytes(try message.serializedBytes() as [UInt8])
    }

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> Message {
        do {
            return try Message(serializedBytes: bytes.withUnsafeBytes { Array($0) })
        } catch {
            throw RPCError(code: .invalidArgument, message: "this is no \(Message.protoMessageName)")
        }
    }
}
