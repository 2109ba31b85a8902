import Glibc

/// What a process of machines tells whoever started it: one line on standard output for each event, `SECONDS EVENT MACHINE WORDS…`. The
/// seconds are those of CLOCK_MONOTONIC, which all processes share.
enum Report {
    enum Event: String {
        /// The first packet of a boot.
        case boot
        /// The whole script was received.
        case script
        /// The agent of this boot began or ended.
        case agent, left
        /// A system registered, or left its cluster.
        case node, leaving
        /// A dice fell: the words say which.
        case dice
        /// The chassis did what its BMC was told.
        case power
        /// Something ended as no dice explains.
        case trouble
    }

    static func say(_ event: Event, _ machine: Int, _ words: String = "") {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let line = "\(Double(now.tv_sec) + Double(now.tv_nsec) / 1e9) \(event.rawValue) \(machine) \(words)\n"
        // Shorter than PIPE_BUF: lines of several threads stay whole.
        _ = line.withCString { write(STDOUT_FILENO, $0, strlen($0)) }
    }
}
