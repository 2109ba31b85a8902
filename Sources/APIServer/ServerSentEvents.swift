import APIModel
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Machines
import NIOCore
import Store

/// `?watch=true`: a collection as server-sent events. First every resource as `put`, then `listed`, then each change as it is
/// made; `id` is the revision.
struct WatchResponse<Item: Resource, View: Encodable & Sendable> {
    let store: any RecordStore
    /// Which resources are told, by id; nil: all.
    var only: Set<String>?
    /// What changed beside the store, looked for every second.
    var news: (@Sendable () async throws -> [View])?
    /// Nil leaves the resource out of the stream.
    let view: @Sendable (Item) async throws -> View?

    func response() async throws -> Response {
        // What changes while the pages are read is told behind them.
        let changes = try await store.changes(of: Item.self)
        let (store, view, only) = (store, view, only)
        var frames: (@Sendable () async throws -> [ByteBuffer])?
        if let news { frames = { try await news().map { try EventStream.frame("put", $0) } } }
        return EventStream.response(
            changes,
            opening: { writer in
                try await store.eachPage(of: Item.self) { items in
                    for item in items where only?.contains(item.id) ?? true {
                        if let view = try await view(item) { try await writer.write(EventStream.frame("put", view)) }
                    }
                    return true
                }
                try await writer.write(ByteBuffer(string: "event: listed\ndata: {}\n\n"))
            },
            news: frames,
            frame: { change in
                guard only?.contains(change.id) ?? true else { return nil }
                guard let item = change.item else {
                    return try EventStream.frame("delete", ["id": change.id], revision: change.revision)
                }
                return try await view(item).map { try EventStream.frame("put", $0, revision: change.revision) }
            })
    }
}

/// Anything that goes on, as server-sent events. A comment every few seconds shows a dead peer on either side.
enum EventStream {
    /// What waits for a peer that reads slowly; then it is cut off, and begins anew.
    private static let backlog = 1024

    struct TooSlow: Error {}

    /// - Parameters:
    ///   - opening: what goes ahead, written as fast as it is read.
    ///   - news: asked every second for more.
    ///   - frame: nil leaves the item out.
    static func response<Items: AsyncSequence & Sendable>(
        _ items: Items,
        opening: @escaping @Sendable (inout any ResponseBodyWriter) async throws -> Void = { _ in },
        news: (@Sendable () async throws -> [ByteBuffer])? = nil,
        frame: @escaping @Sendable (Items.Element) async throws -> ByteBuffer?
    ) -> Response where Items.Element: Sendable {
        var headers = HTTPFields()
        headers[.contentType] = "text/event-stream"
        headers[.cacheControl] = "no-store"
        return Response(
            status: .ok, headers: headers,
            body: .init { writer in
                try await opening(&writer)
                let (frames, inbox) = AsyncThrowingStream.makeStream(
                    of: ByteBuffer.self, bufferingPolicy: .bufferingOldest(backlog))
                @Sendable func post(_ frame: ByteBuffer) throws {
                    if case .dropped = inbox.yield(frame) { throw TooSlow() }
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        do {
                            for try await item in items {
                                if let frame = try await frame(item) { try post(frame) }
                            }
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
                    if let news {
                        group.addTask {
                            while !Task.isCancelled {
                                try await Task.sleep(for: .seconds(1))
                                for frame in try await news() { try post(frame) }
                            }
                        }
                    }
                    defer { group.cancelAll() }
                    for try await frame in frames { try await writer.write(frame) }
                }
                try await writer.finish(nil)
            })
    }

    static func frame(_ event: String, _ value: some Encodable, revision: Int64? = nil) throws -> ByteBuffer {
        let json = String(decoding: try APICoding.encoder.encode(value), as: UTF8.self)
        let id = revision.map { "id: \($0)\n" } ?? ""
        return ByteBuffer(string: "\(id)event: \(event)\ndata: \(json)\n\n")
    }
}
