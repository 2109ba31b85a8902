import Foundation
import Machines
import Testing

@testable import ImageLibrary

@Suite struct MirrorRoomTests {
    /// Files as `NAME:BYTES@LAST-ASKED-FOR`.
    @Test(
        "what nobody asked for the longest leaves, and no more than has to",
        arguments: [
            ("a:40@1 b:40@2", 20, ""), ("a:40@1 b:40@2", 21, "a"), ("a:40@2 b:40@1", 21, "b"),
            ("a:40@1 b:40@2", 100, "a b"), ("a:40@1 b:40@2", 61, "a b"), ("a:40@1 b:40@2", 60, "a"),
            ("b:40@1 a:40@1", 30, "a"), ("", 100, ""), ("a:1@1", 101, nil), ("", 101, nil), ("a:500@1 b:1@2", 10, "a"),
        ] as [(String, Int64, String?)])
    func room(files: String, coming: Int64, leaving: String?) {
        let shelf = files.split(separator: " ").map { word in
            let parts = word.split { $0 == ":" || $0 == "@" }
            return ShelvedFile(
                sha256: String(parts[0]), bytes: Int64(parts[1]) ?? 0,
                storedAt: Date(timeIntervalSince1970: Double(parts[2]) ?? 0))
        }
        #expect(MirrorRoom.leaving(shelf, coming: coming, limit: 100)?.joined(separator: " ") == leaving)
    }
}
