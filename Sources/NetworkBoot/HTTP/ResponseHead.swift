import NIOCore
import NIOHTTP1

/// The status line and the fields of one answer (RFC 9112 §4, §5), as bytes: they leave in one buffer with a short body. Fields are
/// made here alone, of numbers and fixed words, so none can end a line.
struct ResponseHead {
    private(set) var bytes: ByteBuffer

    init(_ status: HTTPResponseStatus, isKeepAlive: Bool, allocator: ByteBufferAllocator, bodyBytes: Int = 0) {
        bytes = allocator.buffer(capacity: 256 + bodyBytes)
        bytes.writeStaticString("HTTP/1.1 ")
        bytes.writeString(String(status.code))
        bytes.writeStaticString(" ")
        bytes.writeString(status.reasonPhrase)
        bytes.writeStaticString("\r\n")
        add("Connection", isKeepAlive ? "keep-alive" : "close")
        BootMetrics.noteRequest(status: status.code)
    }

    mutating func add(_ name: StaticString, _ value: String) {
        bytes.writeStaticString(name)
        bytes.writeStaticString(": ")
        bytes.writeString(value)
        bytes.writeStaticString("\r\n")
    }

    /// The head's end, and what follows it.
    consuming func ended(body: String = "") -> ByteBuffer {
        bytes.writeStaticString("\r\n")
        bytes.writeString(body)
        return bytes
    }
}
