import Machines
import Testing

@testable import OperatingSystems

@Suite struct TalosEventTests {
    static let unmet: [TalosEvent.UnmetCondition] = [
        .init(name: "services", reason: "kubelet not running"),
        .init(name: "nodeReady", reason: "node \"n\" is not ready"),
    ]

    @Test(
        "what an event comes to",
        arguments: [
            (.status(.running, ready: true, unmet: []), .joined, false, "Talos runs and is ready"),
            (
                .status(.running, ready: false, unmet: unmet), .firstBoot, false,
                "Talos runs, and waits for services (kubelet not running), nodeReady (node \"n\" is not ready)"
            ),
            // Ready in a stage that is not the last one says nothing.
            (.status(.booting, ready: true, unmet: []), nil, false, "Talos starts"),
            (.status(.installing, ready: true, unmet: []), nil, false, "Talos installs itself"),
            (.status(.rebooting, ready: true, unmet: []), nil, false, "Talos restarts the machine"),
            (
                .status(.maintenance, ready: true, unmet: []), nil, true,
                "Talos is in maintenance mode: it waits for a configuration from a person"
            ),
            (.status(.resetting, ready: false, unmet: []), nil, true, "Talos erases itself"),
            (
                .configurationRefused("failed to validate config acquired via platform metal: no disk"), nil, true,
                "Talos has no configuration that it takes: failed to validate config acquired via platform metal: no disk"
            ),
            (
                .sequenceFailed("install", error: "phase 3: task failed"), nil, true,
                "Talos failed in its sequence install: phase 3: task failed"
            ),
            (
                .serviceFailed("kubelet", message: "no image"), nil, true, "Talos' service kubelet failed: no image"
            ),
        ] as [(TalosEvent, InstallationNews?, Bool, String)])
    func news(event: TalosEvent, news: InstallationNews?, isFault: Bool, words: String) {
        let found = TalosNews(event)
        #expect(found.news == news && found.isFault == isFault && found.words == words && found.ticket == nil)
    }

    @Test("nothing that anybody can send fails an installation, ends it or begins it")
    func harmless() {
        let stages: [TalosEvent.Stage] = [
            .booting, .installing, .maintenance, .running, .rebooting, .shuttingDown, .resetting, .upgrading,
        ]
        let events =
            stages.flatMap { stage in [true, false].map { TalosEvent.status(stage, ready: $0, unmet: Self.unmet) } }
            + [.configurationRefused("x"), .sequenceFailed("x", error: "x"), .serviceFailed("x", message: "x")]
        for event in events {
            let news = TalosNews(event).news
            #expect(news == nil || news == .firstBoot || news == .joined)
        }
    }

    @Test("strangers' words are one line of some hundred bytes that no terminal obeys")
    func words() {
        let hostile = TalosNews(.serviceFailed("a\u{1b}[2J", message: "b\n\u{9b}2Jc\u{202e}d\u{0}"))
        #expect(hostile.words == "Talos' service a [2J failed: b 2Jc d")
        let long = TalosNews(.configurationRefused(String(repeating: "Ä", count: 4000)))
        #expect(long.words.utf8.count <= TalosNews.limit && long.words.hasSuffix("…"))
        let many = (0..<100).map { TalosEvent.UnmetCondition(name: "c\($0)", reason: "r") }
        #expect(TalosNews(.status(.running, ready: false, unmet: many)).words.hasSuffix("c7 (r) and 92 more"))
        let one = String(repeating: "e\u{301}", count: 3000)
        #expect(TalosNews(.configurationRefused(one)).words.utf8.count <= TalosNews.limit)
    }

    @Test("a ticket that Talos tells in the open is known, and not told further")
    func ticket() {
        let ticket = String(repeating: "0a", count: 32)
        let url = "https://10.77.0.1:8443/api/v1/installations/\(ticket)/files/config"
        let news = TalosNews(
            .configurationRefused("failed to download config from \"\(url)\": Get \"\(url)\": no route to host"))
        #expect(news.ticket == ticket)
        #expect(!news.words.contains("0a0a") && news.words.contains("/installations/…/files/config"))
        #expect(TalosNews(.configurationRefused("/installations/0a0a/files")).ticket == nil)
        #expect(TalosNews(.configurationRefused("/installations/" + ticket + "0a/x")).ticket == nil)
        #expect(TalosNews(.configurationRefused("/installations/" + ticket)).ticket == ticket)
    }
}
