import FoundationEssentials
import NetworkAddresses

extension Operation {
    /// What an installer, or the system at its first start, tells of this installation.
    /// - Parameters:
    ///   - words: why it failed, in its own words.
    ///   - machine: the one that it is about.
    /// - Returns: whether that is news. Told twice, since an answer was lost, it is not, and neither is what comes when its time is over.
    public mutating func hear(
        _ news: InstallationNews, _ words: String = "", about machine: inout Machine, at now: Date
    ) -> Bool {
        switch news {
        case .started:
            guard installer != nil, installer?.startedAt == nil else { return false }
            installer?.startedAt = now
        case .installed:
            guard let run = installer else { return false }
            (installedAt, installer) = (now, nil)
            machine.observed.installed = run.installs
            machine.observed.installedRelease = assignment?.release
            machine.observed.kexecAt = nil
            machine.updatedAt = now
        case .failed:
            guard installer != nil else { return false }
            fall(back: words.isEmpty ? "the installer failed" : "the installer failed: \(words)", at: now)
        case .firstBoot:
            guard step == .join, !isFinished, firstBootAt == nil else { return false }
            firstBootAt = now
        case .joined:
            guard step == .join, !isFinished, joinedAt == nil else { return false }
            joinedAt = now
        }
        return true
    }

    /// The most addresses that are remembered of one machine.
    static let maximumEventSources = 32

    /// The system may tell of itself from these as well.
    public mutating func listen(to addresses: [IPAddress]) {
        var eventSources = eventSources ?? []
        for address in addresses where !eventSources.contains(address) && eventSources.count < Self.maximumEventSources
        {
            eventSources.append(address)
        }
        self.eventSources = eventSources
    }

    /// What the system told of itself, unproved.
    /// - Returns: whether that is news.
    public mutating func note(_ text: String, isFault: Bool, at now: Date) -> Bool {
        guard !isFinished, systemWord?.text != text || systemWord?.isFault != isFault else { return false }
        systemWord = SystemWord(text, isFault: isFault, at: now)
        return true
    }
}
