import CMalloc
import Foundation
import Logging
import ServiceLifecycle

/// Gives memory back that a storm of machines left behind. The C library keeps what was freed in up to eight arenas for each processor, in holes between
/// what is still there: with ten thousand machines that was twice as much as was in use.
struct MemoryKeeper: Service {
    let logger: Logger

    /// More arenas let more threads allocate at once; this daemon's threads wait for other things.
    private static let arenas: Int32 = 4
    /// Bytes in holes that are worth the walk through all of them.
    private static let worthwhile = 64 << 20

    /// Called at the start: arenas that are there stay.
    static func limitArenas() { _ = mallopt(M_ARENA_MAX, arenas) }

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: .seconds(60))
                let holes = Self.resident - Self.inUse
                guard holes > Self.worthwhile else { continue }
                _ = malloc_trim(0)
                logger.debug("memory was given back", metadata: ["bytes": "\(holes)", "resident": "\(Self.resident)"])
            }
        }
    }

    private static var inUse: Int {
        let info = mallinfo2()
        return info.uordblks + info.hblkhd
    }

    /// Bytes in memory that are this process's alone; 0 where the kernel does not tell.
    private static var resident: Int {
        // proc(5): pages; the second is all that is resident, the third what of that comes from files.
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let pages = text.split(separator: " ").compactMap { Int($0) }
        return pages.count > 2 ? (pages[1] - pages[2]) * sysconf(Int32(_SC_PAGESIZE)) : 0
    }
}
