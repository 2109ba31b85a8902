import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import SwiftProtobuf
import Testing

@testable import TalosEvents

/// A Talos machine as its event sink sees it: one connection, one call after the other (siderolabs/talos, events_sink.go).
struct TalosPeer {
    let client: GRPCClient<HTTP2ClientTransport.Posix>

    static func with(port: Int, _ body: @Sendable (TalosPeer) async throws -> Void) async throws {
        try await withGRPCClient(
            transport: .http2NIOPosix(target: .ipv4(address: "127.0.0.1", port: port), transportSecurity: .plaintext)
        ) { try await body(TalosPeer(client: $0)) }
    }

    /// One event, in a connection of its own.
    static func tell(_ event: some SwiftProtobuf.Message, port: Int) async throws -> RPCError.Code? {
        try await withGRPCClient(
            transport: .http2NIOPosix(target: .ipv4(address: "127.0.0.1", port: port), transportSecurity: .plaintext)
        ) { try await TalosPeer(client: $0).tell(event) }
    }

    /// - Returns: nil: it was taken; else what came back.
    func tell(_ event: some SwiftProtobuf.Message) async throws -> RPCError.Code? {
        try await tell(type(of: event).protoMessageName, try event.serializedBytes())
    }

    func tell(_ name: String, _ value: Data) async throws -> RPCError.Code? {
        var request = Events_EventRequest()
        request.id = "ceqpsv3q8ds0"
        request.data.typeURL = "type.googleapis.com/" + name
        request.data.value = value
        return try await send(try request.serializedBytes(), to: EventSinkService.publish)
    }

    /// Bytes as they are.
    func send(_ bytes: [UInt8], to method: MethodDescriptor) async throws -> RPCError.Code? {
        var options = CallOptions.defaults
        options.timeout = .seconds(20)
        do {
            return try await client.unary(
                request: ClientRequest(message: bytes), descriptor: method, serializer: Raw(), deserializer: Raw(),
                options: options
            ) { response in
                _ = try response.message
                return nil
            }
        } catch let error as RPCError {
            return error.code
        }
    }

    private struct Raw: MessageSerializer, MessageDeserializer {
        func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes { Bytes(message) }

        func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] {
            bytes.withUnsafeBytes { Array($0) }
        }
    }
}

/// What came back; nil: nothing but that it was taken.
func expect(
    _ code: RPCError.Code?, _ wanted: RPCError.Code?, sourceLocation: SourceLocation = #_sourceLocation
) { #expect(code == wanted, sourceLocation: sourceLocation) }
