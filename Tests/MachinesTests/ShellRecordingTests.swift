import Foundation
import Testing

@testable import Machines

@Suite struct ShellRecordingTests {
    private func recording() -> ShellRecording {
        ShellRecording(id: "order-1", machine: "m-1", operation: "op-1", requestedBy: "alice", at: Date())
    }

    @Test("pieces that come again are known, and what is missing is marked")
    func pieces() {
        var recording = recording()
        #expect(recording.append(Data("abc".utf8), at: 0) == Data("abc".utf8))
        #expect(recording.append(Data("bcd".utf8), at: 1) == Data("d".utf8))
        #expect(recording.append(Data("ab".utf8), at: 0).isEmpty)
        #expect(recording.position == 4)
        let new = recording.append(Data("z".utf8), at: 1000)
        #expect(String(decoding: new, as: UTF8.self).contains("996 bytes of output are lost"))
        #expect(recording.position == 1001)
    }

    @Test("it is bounded, whatever comes")
    func bounds() {
        var recording = recording()
        let chunk = Data(repeating: 65, count: 32 << 10)
        for count in 0..<20 { _ = recording.append(chunk, at: Int64(count * chunk.count)) }
        #expect(recording.tail.count <= ShellRecording.capacity && recording.position == Int64(20 * chunk.count))
        for count in 0..<10_000 {
            recording.type(Data("0123456789\r".utf8), by: "p\(count % 3)", at: Date())
            recording.visit(by: "p", at: Date())
        }
        #expect(recording.typed.reduce(0) { $0 + $1.data.count } <= ShellRecording.typedCapacity)
        #expect(recording.typedBytes == 110_000 && recording.visits.count == ShellRecording.visitCapacity)
    }

    @Test("keys of one person are one entry up to the end of the line")
    func typed() {
        var recording = recording()
        for (key, person) in [("l", "a"), ("s", "a"), ("\r", "a"), ("x", "a"), ("y", "b")] {
            recording.type(Data(key.utf8), by: person, at: Date())
        }
        #expect(recording.typed.map { String(decoding: $0.data, as: UTF8.self) } == ["ls\r", "x", "y"])
        #expect(recording.typed.map(\.by) == ["a", "a", "b"])
    }
}
