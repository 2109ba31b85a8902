/// Values of `IndicatorLED` for a light, in the order in which they are tried. Dell has Lit and Blinking, and Lit is its off (recorded tree of a
/// PowerEdge R750); HPE leaves Blinking to itself.
public func indicatorValues(isOn: Bool, allowable: [String]?) -> [String] {
    let wanted = isOn ? ["Blinking", "Lit"] : ["Off", "Lit"]
    guard let allowable else { return wanted }
    let possible = wanted.filter(allowable.contains)
    return possible.isEmpty ? wanted : possible
}
