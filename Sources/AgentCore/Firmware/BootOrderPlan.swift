import Inventory

/// Decides which variables to write so that the installed system has exactly one entry and the firmware tries things in the
/// order that was asked for. Pure.
struct BootOrderPlan: Equatable {
    /// Number of our entry.
    var number: UInt16
    var entry: [UInt8]
    var order: [UInt16]
    /// Entries of earlier installs, to be removed.
    var removed: [UInt16]

    /// What every entry of ours is called.
    static let prefix = "Slipway "

    /// - Parameters:
    ///   - options: content of each `Boot####`.
    ///   - order: `BootOrder` as it is.
    ///   - current: `BootCurrent`, the entry that this boot came by.
    init(
        adding entry: EFIBootEntry, to options: [UInt16: [UInt8]], order: [UInt16], current: UInt16?, wanted: BootOrder
    ) {
        let ours = options.filter { EFIBootEntry.title(of: $0.value)?.hasPrefix(Self.prefix) ?? false }.keys.sorted()
        number = ours.first ?? (0...UInt16.max).first { options[$0] == nil } ?? 0
        removed = Array(ours.dropFirst())
        self.entry = entry.encoded
        let kept = order.filter { !ours.contains($0) && options[$0] != nil }
        switch wanted {
        case .diskFirst: self.order = [number] + kept
        case .networkFirst:
            // The installed system comes right after the entry that led to Slipway. Firmware tries every network entry
            // before the next one (IPv6, HTTP, other ports), each for a minute when nobody answers.
            var network = kept.filter { options[$0].map(EFIBootEntry.isNetwork) ?? false }
            if let current, let last = network.firstIndex(of: current) { network.removeSubrange((last + 1)...) }
            self.order = network + [number] + kept.filter { !network.contains($0) }
        }
    }
}
