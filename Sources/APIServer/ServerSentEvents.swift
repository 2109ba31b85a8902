import APIModel
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Machines
import NIOCore
import Store

/// `?watch=true`: a collection as server-sent events. First every resource as `put`, then `listed`, then each change as it is
/// made; `id` is the revision. A comment every few seconds shows a dead peer on either side.
struct WatchResponse<Item: Resource, View: Encodable & Sendable> {
    let store: any RecordStore
    /// Nil leaves the resource out of the stream.
    let view: @Sendable (Item) async throws -> View?

    private enum Message: Sendable {
        case change(ResourceChange<Item>)
        case ping
    }

    func response() async throws -> Response {
        let (items, changes) = try await store.listAndWatch(Item.self)
        var headers = HTTPFields()
        headers[.contentType] = "text/event-stream"
        headers[.cacheControl] = "no-store"
        return Response(
            status: .ok, headers: headers,
            body: .init { writer in
                for item in items {
                    if let view = try await view(item) { try await writer.write(Self.frame("put", view)) }
                }
                try await writer.write(ByteBuffer(string: "event: listed\ndata: {}\n\n"))
                let (messages, continuation) = AsyncThrowingStream.makeStream(of: Message.self)
                let view = view
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for try await change in changes { continuation.yield(.change(change)) }
                        continuation.finish()
                    }
                    group.addTask {
                        while !Task.isCancelled {
                            try await Task.sleep(for: .seconds(10))
                            continuation.yield(.ping)
                        }
                    }
                    defer { group.cancelAll() }
                    for try await message in messages {
                        switch message {
                        case .ping:
                            try await writer.write(ByteBuffer(string: ": ping\n\n"))
                        case .change(let change):
                            if let item = change.item {
                                guard let view = try await view(item) else { continue }
                                try await writer.write(Self.frame("put", view, revision: change.revision))
                            } else {
                                try await writer.write(
                                    Self.frame("delete", ["id": change.id], revision: change.revision))
                            }
                        }
                    }
                }
                try await writer.finish(nil)
            })
    }

    private static func frame(_ event: String, _ value: some Encodable, revision: Int64? = nil) throws -> ByteBuffer {
        let json = String(decoding: try APICoding.encoder.encode(value), as: UTF8.self)
        let id = revision.map { "id: \($0)\n" } ?? ""
        return ByteBuffer(string: "\(id)event: \(event)\ndata: \(json)\n\n")
    }
}

/// Anything that goes on, as server-sent events. A comment every few seconds shows a dead peer on either side.
enum EventStream {
    static func response<Items: AsyncSequence & Sendable>(
        _ items: Items, _ frame: @escaping @Sendable (Items.Element) throws -> ByteBuffer
    ) -> Response where Items.Element: Sendable {
        var headers = HTTPFields()
        headers[.contentType] = "text/event-stream"
        headers[.cacheControl] = "no-store"
        return Response(
            status: .ok, headers: headers,
            body: .init { writer in
                let (frames, inbox) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        do {
                            for try await item in items { inbox.yield(try frame(item)) }
                            inbox.finish()
                        } catch {
                            inbox.finish(throwing: error)
                        }
                    }
                    group.addTask {
                        while !Task.isCancelled {
                            try await Task.sleep(for: .seconds(10))
                            inbox.yield(ByteBuffer(string: ": ping\n\n"))
                        }
                    }
                    defer { group.cancelAll() }
                    for try await frame in frames { try await writer.write(frame) }
                }
                try await writer.finish(nil)
            })
    }

    static func frame(_ event: String, _ value: some Encodable) throws -> ByteBuffer {
        let json = String(decoding: try APICoding.encoder.encode(value), as: UTF8.self)
        return ByteBuffer(string: "event: \(event)\ndata: \(json)\n\n")
    }
}
