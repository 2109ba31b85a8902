/// A device into which an image can be put (VirtualMedia schema).
public struct VirtualMedia: Equatable, Sendable {
    public var path: ResourcePath
    public var id: String
    public var types: [String]
    public var image: String?
    public var imageName: String?
    public var isInserted: Bool?
    public var connectedVia: String?
    public var insert: ServiceAction?
    public var eject: ServiceAction?

    public init(_ json: JSON, at path: ResourcePath) {
        self.path = path
        id = json["Id"]?.text ?? path.name
        types = json["MediaTypes"]?.strings ?? []
        // Whole: signed URLs are long.
        image = json["Image"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        imageName = json["ImageName"]?.text
        isInserted = json["Inserted"]?.bool
        connectedVia = json["ConnectedVia"]?.text
        insert = ServiceAction(json, "VirtualMedia.InsertMedia")
        eject = ServiceAction(json, "VirtualMedia.EjectMedia")
    }

    public var isDisc: Bool { types.contains("CD") || types.contains("DVD") }

    /// Supermicro leaves `Image` and `ImageName` there after an eject, and says NotConnected (ansible-collections/community.general pull
    /// requests 4839 and 7470).
    public var isOccupied: Bool {
        if connectedVia == "NotConnected" { return false }
        return isInserted ?? (image != nil)
    }

    /// Whether the image is in it. Some show no URL, or only the file's name.
    public func holds(_ url: String) -> Bool {
        guard isInserted ?? (image != nil) else { return false }
        guard let image else { return imageName.map { url == $0 || url.hasSuffix("/" + $0) } ?? true }
        return image == url || url.hasSuffix("/" + image)
    }

    /// The device for an image: one for discs, empty, with an action. Lenovo's XCC has ten devices; those named EXT take a PATCH, and RDOC and
    /// Remote take no URL (lenovo/python-redfish-lenovo issue 21).
    public static func device(of devices: [VirtualMedia]) -> VirtualMedia? {
        func rank(_ device: VirtualMedia) -> Int {
            (device.isOccupied ? 4 : 0) + (device.insert == nil ? 2 : 0)
                + (device.insert == nil && !device.id.hasPrefix("EXT") ? 1 : 0)
        }
        return devices.filter { $0.isDisc && !$0.id.hasPrefix("RDOC") && !$0.id.hasPrefix("Remote") }
            .min { rank($0) < rank($1) }
    }

    /// Bodies for an insertion, in the order in which they are tried: Supermicro refuses the second and third property (pull request 4839 above).
    public static func insertions(of url: String) -> [JSON] {
        [
            ["Image": .string(url), "Inserted": true, "WriteProtected": true], ["Image": .string(url)],
            ["Image": .string(url), "TransferMethod": "Stream", "TransferProtocolType": .string(protocolType(url))],
        ]
    }

    private static func protocolType(_ url: String) -> String {
        url.lowercased().hasPrefix("https:") ? "HTTPS" : url.lowercased().hasPrefix("nfs:") ? "NFS" : "HTTP"
    }
}
