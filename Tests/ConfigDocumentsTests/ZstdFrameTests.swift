import ConfigDocuments
import Foundation
import TestSupport
import Testing

@Suite struct ZstdFrameTests {
    @Test("zstd unpacks what was stored", arguments: [0, 1, 255, 256, 65_791, 65_792, 131_072, 131_073, 400_000])
    func unpacked(count: Int) async throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try await withTemporaryDirectory { directory in
            try Data(ZstdFrame.stored(bytes)).write(to: URL(filePath: directory + "/file.zst"))
            let (status, output) = try await ChildProcess.run("zstd", ["-q", "-d", directory + "/file.zst"])
            try #require(status == 0, "\(output)")
            #expect(try Data(contentsOf: URL(filePath: directory + "/file")) == Data(bytes))
        }
    }
}
