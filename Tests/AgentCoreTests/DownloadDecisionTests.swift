import Testing

@testable import AgentCore

/// What answers mean, and who is asked next.
@Suite struct DownloadDecisionTests {
    /// 1000 bytes of which 400 are there, where nothing else is said.
    @Test(
        "an answer goes on with the download, or is no use, or may be better later",
        arguments: [
            ("200 OK|Content-Length: 1000", 0, .body(known: 0)),
            ("206 Partial Content|Content-Range: bytes 0-999/1000", 0, .body(known: 0)),
            ("206 Partial Content|content-range:bytes 400-999/1000  ", 400, .body(known: 0)),
            ("206 Partial Content|Content-Range: bytes 400-499/*", 400, .body(known: 0)),
            ("206 Partial Content|Content-Range: bytes 300-999/1000", 400, .body(known: 100)),
            (
                "206 Partial Content|Content-Range: bytes 401-999/1000", 400,
                .giveUp("it begins at byte 401, and 400 are there")
            ),
            (
                "206 Partial Content|Content-Range: bytes 400-899/900", 400,
                .giveUp("its file has 900 bytes, and the order says 1000")
            ),
            ("206 Partial Content", 400, .giveUp("it answers 206 and does not say with which part")),
            (
                "206 Partial Content|Content-Range: bytes 9-4/1000", 400,
                .giveUp("it answers 206 and does not say with which part")
            ),
            (
                "206 Partial Content|Content-Range: bytes */1000", 400,
                .giveUp("it answers 206 and does not say with which part")
            ),
            ("200 OK|Content-Length: 1000", 400, .body(known: 400)),
            ("200 OK|Content-Length: 999", 400, .giveUp("its file has 999 bytes, and the order says 1000")),
            ("200 OK", 400, .giveUp("it does not say how long the file is")),
            (
                "200 OK|Content-Length: 1000|Transfer-Encoding: chunked", 400,
                .giveUp("it does not say how long the file is")
            ),
            (
                "416 Range Not Satisfiable|Content-Range: bytes */300", 400,
                .giveUp("its file has 300 bytes, and the order says 1000")
            ),
            ("416 Range Not Satisfiable", 400, .giveUp("its file has fewer bytes, and the order says 1000")),
            ("404 Not Found", 400, .tryAgain("it answers 404")), ("429 Too Many", 0, .tryAgain("it answers 429")),
            ("500 Oh", 400, .tryAgain("it answers 500")), ("503 Busy", 0, .tryAgain("it answers 503")),
            ("301 Moved|Location: http://10.0.0.1/", 0, .giveUp("it answers 301")),
            ("401 Who", 400, .giveUp("it answers 401")), ("304 Not Modified", 400, .giveUp("it answers 304")),
        ] as [(String, Int64, DownloadAnswer)])
    func answers(head: String, done: Int64, meaning: DownloadAnswer) throws {
        let head = try #require(HTTPHead("HTTP/1.1 " + head.replacing("|", with: "\r\n")))
        #expect(DownloadAnswer(head, done: done, total: 1000) == meaning)
    }

    @Test(
        "what is no answer of HTTP is none",
        arguments: ["", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 abc", "HTTP/1.1 99 x", "HTTP/2 200", "SSH-2.0-x 200", " "])
    func noHead(text: String) { #expect(HTTPHead(text) == nil) }

    @Test(
        "only a strong tag says that a file is the same",
        arguments: [("\"a\"", "\"a\""), ("W/\"a\"", nil), ("\"", nil), ("a", nil), ("", nil)] as [(String, String?)])
    func tags(field: String, tag: String?) {
        #expect(HTTPHead("HTTP/1.1 200 OK\r\nETag: \(field)")?.strongTag == tag)
    }

    /// What happens at one second after the other, and what is done then, without luck: `2@0.5` asks the third source after half a second.
    @Test(
        "the mirror first, then the daemon, and nobody for ever",
        arguments: [
            (1, "nothing nothing nothing nothing nothing nothing", "0@0.5 0@1 0@2 0@4 0@8 0@10"),
            (1, "nothing cut nothing", "0@0.5 0@0.25 0@0.5"), (1, "otherFile", "end"),
            (2, "nothing nothing nothing nothing", "1@0 0@0.5 1@0 0@1"),
            (2, "cut nothing cut nothing", "0@0.25 1@0 1@0.25 0@0"),
            (2, "otherFile nothing nothing", "1@0.5 1@1 1@2"), (2, "otherFile otherFile", "1@0.5 end"),
            (2, "nothing otherFile nothing", "1@0 0@1 0@2"),
        ] as [(Int, String, String)])
    func course(sources: Int, troubles: String, steps: String) {
        var course = DownloadCourse(sources: sources, now: 100)
        let told = troubles.split(separator: " ").enumerated().map { second, word in
            let trouble: DownloadCourse.Trouble = word == "cut" ? .cut : word == "nothing" ? .nothing : .otherFile
            switch course.next(after: trouble, now: 100 + Double(second), luck: 0.5) {
            case .ask(let source, let after):
                return "\(source)@\(after == after.rounded() ? "\(Int(after))" : "\(after)")"
            case .end: return "end"
            }
        }
        #expect(told.joined(separator: " ") == steps)
    }

    @Test("ten minutes without a byte end it, and a byte begins them anew")
    func patience() {
        var course = DownloadCourse(sources: 2, now: 0)
        #expect(course.next(after: .nothing, now: 599, luck: 0) == .ask(source: 1, after: 0))
        #expect(course.next(after: .cut, now: 599, luck: 0) == .ask(source: 1, after: 0.2))
        #expect(course.next(after: .nothing, now: 1198, luck: 1) == .ask(source: 0, after: 0))
        #expect(course.next(after: .nothing, now: 1199, luck: 1) == .end)
    }
}
