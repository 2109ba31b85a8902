import ArgumentParser
import Foundation

enum ColorChoice: String, ExpressibleByArgument, CaseIterable { case auto, always, never }

/// What a piece of text means; how that looks is ``Painter``'s.
enum Tone: Equatable, Sendable {
    case good, bad, busy, special, faint, strong

    /// Select Graphic Rendition (ECMA-48 §8.3.117).
    fileprivate var code: String {
        switch self {
        case .good: "32"
        case .bad: "31"
        case .busy: "33"
        case .special: "36"
        case .faint: "2"
        case .strong: "1"
        }
    }
}

/// Colours text, or leaves it as it is.
struct Painter: Sendable {
    let isOn: Bool

    /// https://no-color.org: a NO_COLOR that is not empty turns colours off, unless they are asked for.
    init(
        _ choice: ColorChoice, isTerminal: Bool, environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        switch choice {
        case .always: isOn = true
        case .never: isOn = false
        case .auto:
            isOn = isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
        }
    }

    init(isOn: Bool) { self.isOn = isOn }

    func paint(_ text: String, _ tone: Tone?) -> String {
        guard isOn, let tone, !text.isEmpty else { return text }
        return "\u{1b}[\(tone.code)m\(text)\u{1b}[0m"
    }
}
