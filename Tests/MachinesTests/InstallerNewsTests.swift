import FoundationEssentials
import Inventory
import Machines
import Testing

/// What installers and systems tell, at every point of an installation where they could tell it.
@Suite struct InstallerNewsTests {
    /// How far the installation is.
    enum Point: CaseIterable {
        /// The agent writes an image, or is not there yet: no installer was entered.
        case before
        case entered, began, installed, joining, greeted, joined, finished
    }

    private static let machine = LifecycleTests.machine(.installing)
    private static let system = InstalledSystem(disk: .init(serial: "D-1", wwn: nil, sizeBytes: 1), entry: .reboot)
    private static let now = LifecycleTests.after(700)

    private static func operation(_ point: Point) -> Operation {
        switch point {
        case .before: return LifecycleTests.operation(attempts: 1)
        case .entered, .began:
            var operation = LifecycleTests.operation(attempts: 1)
            operation.installer = .init(enteredAt: LifecycleTests.after(60), installs: system)
            if point == .began { operation.installer?.startedAt = LifecycleTests.after(80) }
            return operation
        case .installed: return LifecycleTests.operation(installed: true)
        case .joining, .greeted, .joined:
            var operation = LifecycleTests.operation(installed: true, joining: true)
            if point != .joining { operation.firstBootAt = LifecycleTests.after(90) }
            if point == .joined { operation.joinedAt = LifecycleTests.after(95) }
            return operation
        case .finished: return LifecycleTests.finished()
        }
    }

    /// Where each is news.
    private static let heard: [InstallationNews: Set<Point>] = [
        .started: [.entered], .installed: [.entered, .began], .failed: [.entered, .began], .firstBoot: [.joining],
        .joined: [.joining, .greeted],
    ]

    @Test("what is no news changes nothing", arguments: Point.allCases, InstallationNews.allCases)
    func table(point: Point, news: InstallationNews) {
        var (machine, operation) = (Self.machine, Self.operation(point))
        let isNews = operation.hear(news, "no disk", about: &machine, at: Self.now)
        #expect(isNews == Self.heard[news]?.contains(point))
        #expect(isNews || (machine == Self.machine && operation == Self.operation(point)))
    }

    @Test("nothing is news twice", arguments: Point.allCases, InstallationNews.allCases)
    func twice(point: Point, news: InstallationNews) {
        var (machine, operation) = (Self.machine, Self.operation(point))
        _ = operation.hear(news, about: &machine, at: Self.now)
        #expect(!operation.hear(news, about: &machine, at: Self.now))
    }

    @Test("done: the machine is its disk's, and has the release")
    func installed() {
        var (machine, operation) = (Self.machine, Self.operation(.began))
        machine.observed.kexecAt = LifecycleTests.after(60)
        _ = operation.hear(.installed, about: &machine, at: Self.now)
        #expect(operation.installedAt == Self.now && operation.installer == nil)
        #expect(machine.observed.installed == Self.system && machine.observed.installedRelease == "r-1")
        #expect(machine.observed.kexecAt == nil && machine.updatedAt == Self.now)
    }

    @Test("failed: tried again after a rest, and after the third time not any more")
    func failed() {
        var (machine, operation) = (Self.machine, Self.operation(.began))
        _ = operation.hear(.failed, "no disk", about: &machine, at: Self.now)
        #expect(operation.setback?.reason == "the installer failed: no disk" && operation.installer == nil)
        #expect(machine == Self.machine && !operation.isFinished)

        operation = Self.operation(.began)
        operation.attempts = 3
        _ = operation.hear(.failed, about: &machine, at: Self.now)
        #expect(operation.state == .failed && operation.error == "the installer failed (after 3 attempts)")
    }
}
