import Machines
import NetworkAddresses

/// What firmware, iPXE, GRUB and agents may fetch, by TFTP and by HTTP alike.
public struct BootContent: Sendable {
    /// Nil: there are images and nothing else, as on a mirror.
    let scripts: BootScripts?
    let bootFiles: BootFileDirectory?
    /// `vmlinuz` and `initrd` for each architecture that there is an agent for.
    let agents: [AgentArchitecture: BootFileDirectory]
    let images: any ImageSource
    let director: any NetworkBootDirector
    private(set) var bootURL: String
    let signers = SignerCache()
    /// Of those who fetch images.
    let turns: ImageTurns

    public init(
        scripts: BootScripts, bootFiles: BootFileDirectory, agents: [AgentArchitecture: BootFileDirectory],
        images: any ImageSource, director: any NetworkBootDirector, bootURL: String, limits: ImageLimits = ImageLimits()
    ) {
        (self.scripts, self.bootFiles, self.agents) = (scripts, bootFiles, agents)
        (self.images, self.director, self.bootURL) = (images, director, bootURL)
        turns = ImageTurns(limits)
    }

    /// Images only.
    public init(images: any ImageSource, director: any NetworkBootDirector, limits: ImageLimits) {
        (scripts, bootFiles, agents, bootURL) = (nil, nil, [:], "")
        (self.images, self.director, turns) = (images, director, ImageTurns(limits))
    }

    /// The same for clients that reach us elsewhere.
    public func at(_ bootURL: String) -> BootContent {
        var content = self
        content.bootURL = bootURL
        return content
    }

    enum Found: Sendable {
        case text(String)
        case file(OpenFile)
        /// One after another, as one file.
        case parts([Part])
        case nothing
    }

    enum Part: Sendable {
        case bytes([UInt8])
        case file(OpenFile)

        var count: Int64 {
            switch self {
            case .bytes(let bytes): Int64(bytes.count)
            case .file(let file): file.size
            }
        }
    }

    /// What is made and not fetched from a disk; nil: ``file(_:)`` may have it.
    /// - Parameter isHead: asked without being fetched; a ticket is not spent on it.
    func made(_ request: BootRequest, isHead: Bool = false) -> Found? {
        guard let scripts else {
            if case .image = request { return nil }
            return .nothing
        }
        switch request {
        case .script(let client):
            if isHead { return .text("#!ipxe\n") }
            let script = scripts.render(director.script(for: client), for: client, bootURL: bootURL)
            director.record(
                BootTraceEvent(mac: client.mac, address: client.address, step: .script(name: script.name)))
            return script.text.map { .text($0) } ?? .nothing
        case .pixiecore(let mac):
            // Where the machine itself is nobody knows here: its session is trusted with nothing until a person says so.
            let client = BootClient(mac: mac, stage: .ipxe)
            guard !isHead, case .agent(let arguments, _) = director.script(for: client) else { return .nothing }
            director.record(BootTraceEvent(mac: mac, step: .script(name: "pixiecore-agent")))
            return .text(PixiecoreAnswer(bootURL: bootURL, arguments: arguments).json)
        case .grubConfiguration: return .text(scripts.grubConfiguration)
        case .nothing: return .nothing
        // Who only asks does not use it up.
        case .initrd: return isHead ? .nothing : nil
        case .bootFile, .agent, .image: return nil
        }
    }

    /// What is fetched.
    func sought(_ request: BootRequest, by client: IPv4Address?) async -> Found {
        guard case .initrd(let token) = request else { return await file(request).map { .file($0) } ?? .nothing }
        guard let parts = await director.initrd(token, for: client) else { return .nothing }
        var found: [Part] = []
        for part in parts {
            switch part {
            case .bytes(let bytes): found.append(.bytes(bytes))
            case .image(let digest, let count):
                guard let file = await image(digest), file.size == count else { return .nothing }
                found.append(.file(file))
            }
        }
        return .parts(found)
    }

    private func file(_ request: BootRequest) async -> OpenFile? {
        switch request {
        case .bootFile(let name): bootFiles?.open(name)
        case .agent(let file): agents[file.architecture]?.open(file.name.rawValue)
        case .image(let digest): await image(digest)
        case .script, .pixiecore, .grubConfiguration, .initrd, .nothing: nil
        }
    }

    private func image(_ digest: String) async -> OpenFile? {
        // One that has come to its end meanwhile lies elsewhere.
        for _ in 0..<2 {
            guard let image = await images.image(digest) else { return nil }
            if let file = OpenFile(path: image.path, digest: digest, growth: image.growth) { return file }
        }
        return nil
    }

    func find(_ request: BootRequest) async -> Found {
        if let found = made(request) { return found }
        return await sought(request, by: nil)
    }
}
