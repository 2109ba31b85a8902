/// How services have been seen to differ from their specification. Each names where it was reported.
public enum Quirk: String, CaseIterable, Sendable {
    /// 428 to a PATCH without `If-Match`: Lenovo SR655, AMI (stmcginnis/gofish issue 171); Lenovo XCC (ansible/ansible pull request 56150).
    case requiresIfMatch
    /// Entity tags are weak, and compared as they are: HPE iLO 4 and 5 (headers in ansible-collections/community.general issue 3509).
    case weakETags
    /// The tag in the header has quotes too many, the one in the body is right (ansible-collections/community.general pull request 3268).
    case doubledETagHeader
    /// A weak tag is shown and refused with its `W/`: Gigabyte (ansible-collections/community.general pull request 6434).
    case weakShownStrongWanted
    /// 412 to any tag of a PATCH: Lenovo XCC on newer systems (ansible-collections/community.general issue 11261).
    case refusesIfMatch
    /// 412 to an action with `If-Match`: Dell iDRAC10 (stmcginnis/gofish pull request 510).
    case refusesIfMatchOnActions
    /// Boot properties are taken in the settings resource only: AMI, ASRock (DMTF/Redfish-Tacklebox issues 111 and 144).
    case bootInSettings
    /// A mode that is not in the PATCH goes back to Legacy: Supermicro (DMTF/Redfishtool pull request 106).
    case forgetsMode
    /// The mode cannot be written: HPE (ansible-collections/community.general issue 3509).
    case modeNotWritable
    /// Every override lasts: kubevirtbmc issue 165, sushy-tools 2.2.
    case onceBecomesContinuous
    /// Neither AllowableValues nor ActionInfo: HPE Gen9 (stmcginnis/gofish pull request 279).
    case noAllowableValues
    /// AllowableValues are in ActionInfo only (DMTF/Redfishtool issue 23; stmcginnis/gofish pull request 345: BlueField).
    case actionInfoOnly
    /// No ForceRestart: IBM's OpenBMC (ibm-openbmc/bmcweb pull request 522).
    case noForceRestart
    /// Lists PowerCycle and ForceRestart and refuses both. Nobody reported it that we know of; it is what a list that lies would be.
    case refusesListedResets
    /// 400 to a restart of a chassis that is off: HPE iLO 4 (goldyfruit/ansible-ilo issue 1). The others take it and do nothing
    /// (tinkerbell/pbnj pull request 75).
    case refusesRestartWhenOff
    /// InsertMedia takes the image and nothing else, and the image's name stays after an eject: Supermicro
    /// (ansible-collections/community.general pull requests 4839 and 7470).
    case imageOnly
    /// Media by PATCH only: Lenovo XCC (lenovo/python-redfish-lenovo issue 21).
    case mediaByPatch
    /// `LocationIndicatorActive` is not there, `IndicatorLED` is: every service before 2020.
    case indicatorLEDOnly
    /// `IndicatorLED` is Lit or Blinking, never Off: Dell (recorded tree of a PowerEdge R750).
    case indicatorNeverOff
    /// Long operations answer 202 with a task (DSP0266 §12.2): Lenovo (lenovo/powershell-redfish-lenovo pull request 74).
    case tasks
    /// As ``tasks``, and a task's monitor goes when it ends: HPE iLO (ironcore-dev/metal-operator issue 668), Dell iDRAC9
    /// (dell/dellemc-openmanage-ansible-modules issue 420).
    case monitorsGo
    /// Answers in chunks without a length: HPE iLO (headers in ansible-collections/community.general issue 3509).
    case chunked
    /// Paths end with a slash: HPE iLO (ansible/ansible issue 48296; HewlettPackard/python-ilorest-library issue 45).
    case trailingSlashes
    /// `Location` is absolute, with a host name: HPE iLO (HewlettPackard/python-ilorest-library issue 45; stmcginnis/gofish pull request 77).
    case absoluteLocation
    /// A new session has no `Location`, only its body says where it is: Dell PowerVault ME5024 (DMTF/python-redfish-library issue 172), Huawei
    /// iBMC (issue 11).
    case noLocation
    /// Members of collections come as wholes when asked for ($expand, DSP0266 §7.3.1): Dell (service root of a recorded PowerEdge R750).
    case expands
    /// No session service: sushy-tools 2.2, whose emulator is a peer in the tests.
    case noSessions

    /// With all of these a careful client gets its work done.
    public static let harmless = allCases

    /// A choice of some, the same for the same generator. Those that contradict each other are not chosen together.
    public static func dice(_ generator: inout some RandomNumberGenerator) -> Set<Quirk> {
        var chosen = Set(allCases.filter { _ in Int.random(in: 0..<4, using: &generator) == 0 })
        if chosen.contains(.refusesIfMatch) {
            chosen.subtract([.requiresIfMatch, .doubledETagHeader, .weakShownStrongWanted])
        }
        if chosen.contains(.weakShownStrongWanted) { chosen.subtract([.weakETags, .doubledETagHeader]) }
        if chosen.contains(.modeNotWritable) { chosen.remove(.forgetsMode) }
        if chosen.contains(.mediaByPatch) { chosen.remove(.imageOnly) }
        return chosen
    }
}

/// What goes wrong with an answer.
public struct Fault: Sendable {
    public enum Kind: Sendable {
        /// No answer.
        case silence
        /// The connection is cut after so many bytes of the body.
        case cut(Int)
        /// The request is done, and then the connection is cut.
        case doneAndCut
        /// A byte of the body, and a while.
        case drip
        /// A body without end.
        case flood
        case body(String)
        case status(Int, retryAfter: Int?)
        /// Another answer, and the request is not done.
        case answer(Int, Value)
    }

    public var kind: Kind
    public var method: String?
    /// A part of the path.
    public var path: String
    /// How many answers it is for.
    public var times: Int

    public init(_ kind: Kind, method: String? = nil, path: String = "", times: Int = 1) {
        (self.kind, self.method, self.path, self.times) = (kind, method, path, times)
    }
}
