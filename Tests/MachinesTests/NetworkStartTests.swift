import Crypto
import Machines
import Testing

@Suite struct NetworkStartTests {
    private static func file(_ digit: Character, _ bytes: Int64) -> KernelOrder.RemoteFile {
        .init(url: "http://10.77.0.1/images/x", sha256: String(repeating: digit, count: 64), bytes: bytes)
    }

    private static func kernel(
        _ initrds: [Int64], archived: Int64? = nil, overlay: [OverlayFile] = []
    ) -> KernelOrder {
        KernelOrder(
            kernel: file("a", 10), initrds: initrds.map { file("b", $0) },
            archived: archived.map { [.init(path: "live/root.squashfs", file: file("c", $0))] } ?? [], overlay: overlay,
            commandLine: "token=hidden-word")
    }

    @Test(
        "whatever length files have, the next archive begins where the kernel looks for it",
        arguments: [1, 2, 3, 4, 5, 4096], [nil, 1, 4, 7] as [Int64?])
    func aligned(initrd: Int64, archived: Int64?) throws {
        let overlay = [OverlayFile(path: "preseed.cfg", content: "x")]
        let parts = try #require(Self.kernel([initrd, 9], archived: archived, overlay: overlay).initrdParts)
        var offset: Int64 = 0
        var isInArchive = false
        for part in parts {
            switch part {
            case .image(_, let bytes):
                #expect(offset % 4 == 0)
                isInArchive = archived != nil && bytes == archived
            case .bytes(let bytes):
                if bytes.starts(with: "070701".utf8) { #expect(offset % 4 == 0 || isInArchive) }
            }
            offset += part.count
        }
        #expect(offset % 4 == 0)
        #expect(parts.last == .bytes(CPIOArchive.make(overlay)))
        #expect(parts.first == .image(sha256: String(repeating: "b", count: 64), bytes: initrd))
    }

    @Test("a file for which the format has no room, and an initramfs of one file")
    func edges() {
        #expect(Self.kernel([8], archived: 1 << 32).initrdParts == nil)
        #expect(Self.kernel([8]).initrdParts == [.image(sha256: String(repeating: "b", count: 64), bytes: 8)])
    }

    @Test("what is kept is sealed, for one installation, machine and order")
    func sealed() throws {
        let key = SymmetricKey(size: .bits256)
        let kernel = Self.kernel([8], overlay: [OverlayFile(path: "a", content: "hidden-answer")])
        let start = try NetworkStart(machine: "m", operation: "o", order: "order-1", kernel, key: key)
        #expect(try start.kernel(key: key) == kernel)
        #expect(throws: (any Error).self) { try start.kernel(key: SymmetricKey(size: .bits256)) }
        #expect(!"\(start)".contains("hidden"))
    }
}
