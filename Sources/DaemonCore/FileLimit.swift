import Foundation
import Logging

/// Open files of this process. Every TFTP transfer and every connection is one; with a login shell's 1024 a neighbour who asks for a
/// thousand files at once would keep everybody else out, the store included.
enum FileLimit {
    /// 4096 transfers, 4096 connections, as many API calls, and room.
    static let wanted: rlim_t = 16_384

    /// Raises the soft limit as far as the hard one lets it, and says when that is not far enough.
    static func raise(logger: Logger) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < wanted else {
            return
        }
        limit.rlim_cur = min(wanted, limit.rlim_max)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        if limit.rlim_cur < wanted {
            logger.warning(
                "few open files are allowed; raise the hard limit (LimitNOFILE)",
                metadata: ["allowed": "\(limit.rlim_cur)", "wanted": "\(wanted)"])
        }
    }
}
