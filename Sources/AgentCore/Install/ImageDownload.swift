import Crypto
import Glibc
import Machines

/// Fetches a file by plain HTTP on a thread of its own, hashing as it goes. A connection that is cut, by a daemon that restarts too, is taken
/// up where it ended, from the mirror or from the daemon: what is known of the file lives here, and nothing behind it begins anew.
struct ImageDownload: Sendable {
    let file: KernelOrder.RemoteFile
    let queue: BoundedQueue<[UInt8]>
    /// Whether the order's mirror is asked.
    var usesMirror = true

    static let chunkBytes = 256 << 10

    /// Feeds the queue, and closes it once the whole stream has the right SHA-256. Otherwise the work is given up.
    func run() {
        do {
            try stream()
            queue.close()
        } catch {
            queue.fail(error)
        }
    }

    /// Where it is fetched, the first choice first.
    private var urls: [String] { (usesMirror ? [file.mirror].compactMap { $0 } : []) + [file.url] }

    /// What is there of the file.
    private struct Known {
        var bytes: Int64 = 0
        var hash = SHA256()
        /// By source.
        var tags: [Int: String] = [:]
    }

    private enum Refusal: Error {
        case tryAgain(String), otherFile(String)
    }

    private func stream() throws {
        let urls = urls
        var known = Known()
        var course = DownloadCourse(sources: urls.count, now: Console.uptime)
        var source = 0
        while known.bytes < file.bytes {
            let before = known.bytes
            let (trouble, words): (DownloadCourse.Trouble, String)
            do {
                try take(urls[source], source, &known)
                continue
            } catch let fault as HTTPFetch.Fault {
                (trouble, words) = (known.bytes > before ? .cut : .nothing, fault.words)
            } catch Refusal.tryAgain(let why) {
                (trouble, words) = (.nothing, why)
            } catch Refusal.otherFile(let why) {
                (trouble, words) = (.otherFile, why)
            }
            let failed = "\(urls[source]) at byte \(known.bytes): \(words)"
            switch course.next(after: trouble, now: Console.uptime, luck: .random(in: 0...1)) {
            case .end: throw InstallError("the file cannot be fetched from \(failed)")
            case .ask(let next, let pause):
                if trouble != .nothing || next != source { Console.say("going on by \(urls[next]): \(failed)") }
                source = next
                usleep(UInt32(pause * 1e6))
            }
            guard !queue.isGivenUp else { throw InstallError("the install was given up") }
        }
        let found = Credential.hex(Array(known.hash.finalize()))
        guard found == file.sha256 else {
            throw InstallError(
                "the file from \(urls.joined(separator: " and ")) has SHA-256 \(found), not \(file.sha256)",
                isDamage: true)
        }
    }

    /// One connection: asks for what is missing, and hands on what comes.
    private func take(_ url: String, _ source: Int, _ known: inout Known) throws {
        var fetch = try HTTPFetch(url, from: known.bytes, tag: known.tags[source])
        switch DownloadAnswer(fetch.head, done: known.bytes, total: file.bytes) {
        case .tryAgain(let why): throw Refusal.tryAgain(why)
        case .giveUp(let why): throw Refusal.otherFile(why)
        case .body(let count):
            if count > 0 { try compare(&fetch, count, with: known) }
            known.tags[source] = fetch.head.strongTag
        }
        while known.bytes < file.bytes {
            let chunk = try fetch.read(atMost: Int(min(Int64(Self.chunkBytes), file.bytes - known.bytes)))
            known.hash.update(data: chunk)
            known.bytes += Int64(chunk.count)
            guard queue.put(chunk) else { throw InstallError("the install was given up") }
        }
    }

    /// Reads what is known already: a server that sends the whole file again may have another one by now, and that is better told
    /// now than after the last byte.
    private func compare(_ fetch: inout HTTPFetch, _ count: Int64, with known: Known) throws {
        var hash = SHA256()
        var left = count
        while left > 0 {
            let chunk = try fetch.read(atMost: Int(min(Int64(Self.chunkBytes), left)))
            hash.update(data: chunk)
            left -= Int64(chunk.count)
            guard !queue.isGivenUp else { throw InstallError("the install was given up") }
        }
        // Where it did not begin at the first byte, the digest of the whole file tells.
        guard count < known.bytes || hash.finalize() == known.hash.finalize() else {
            throw Refusal.otherFile("it has another file by now, which differs within the first \(count) bytes")
        }
    }
}
