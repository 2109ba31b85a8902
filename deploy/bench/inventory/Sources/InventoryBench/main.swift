import Inventory

let clock = ContinuousClock()

func milliseconds(_ duration: Duration) -> Double { duration / .milliseconds(1) }

func written(_ number: Double) -> String {
    let scaled = Int((number * 1000).rounded())
    let rest = String(scaled % 1000)
    return "\(scaled / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
}

func line(_ what: String, _ duration: Duration, _ note: String = "") {
    let figure = written(milliseconds(duration))
    print(
        what + String(repeating: " ", count: max(1, 64 - what.count))
            + String(repeating: " ", count: max(0, 12 - figure.count)) + figure + " ms"
            + (note.isEmpty ? "" : "  " + note))
}

func measured(_ work: () -> Void) -> Duration { clock.measure(work) }

/// Median and the 99th percentile of many.
func spread(_ durations: [Duration]) -> (median: Duration, p99: Duration) {
    let sorted = durations.sorted()
    return (sorted[sorted.count / 2], sorted[sorted.count * 99 / 100])
}

var rack = SyntheticRack(seed: 2026)
let machines = (0..<10_000).map { rack.machine(number: $0) }
let profiles = (0..<200).map { rack.profile(number: $0) }

let matcher = ProfileMatcher(profiles)
var (one, ties, none) = (0, 0, 0)
line(
    "10,000 machines x 200 profiles, first pass",
    measured {
        for machine in machines {
            switch matcher.match(machine) {
            case .one: one += 1
            case .tie: ties += 1
            case .none: none += 1
            }
        }
    }, "\(one) have a profile, \(ties) tie, \(none) have none")
line("10,000 machines x 200 profiles, second pass", measured { for machine in machines { _ = matcher.match(machine) } })
line(
    "the same with 200 new profiles",
    measured {
        let fresh = ProfileMatcher(profiles)
        for machine in machines { _ = fresh.match(machine) }
    })
let each = spread(machines.prefix(2000).map { machine in measured { _ = matcher.match(machine) } })
line("one machine, 200 profiles, median", each.median)
line("one machine, 200 profiles, 99th percentile", each.p99)
let demanding = ProfileMatcher(
    profiles.map {
        HardwareProfile(name: $0.name, priority: $0.priority, match: .all([$0.match, .machine("serial", "none")]))
    })
line(
    "10,000 machines x 200 profiles of which none fits",
    measured { for machine in machines { _ = demanding.match(machine) } })
var naive = 0
line(
    "1,000 machines x 200 profiles, each condition by itself",
    measured {
        for machine in machines.prefix(1000) {
            for profile in profiles where profile.match.holds(for: machine) { naive += 1 }
        }
    }, "for comparison; \(naive) fit")
let cold = spread(
    (0..<20).map { number in
        let fresh = ProfileMatcher((0..<200).map { rack.profile(number: $0) })
        return measured { _ = fresh.match(machines[number]) }
    })
line("one machine, 200 profiles that were never looked at, median", cold.median)
line(
    "one machine explained, 200 profiles, median",
    spread(machines.prefix(100).map { machine in measured { _ = matcher.explain(machine) } }).median)

for count in [1000, 10_000] {
    let known = machines.prefix(count).enumerated().map {
        IdentityResolver.Known(id: "m\($0.offset)", identity: $0.element.identity)
    }
    var resolver = IdentityResolver()
    line("identities: \(count) machines taken in", measured { resolver = IdentityResolver(known) })
    let again = spread(known.prefix(1000).map { machine in measured { _ = resolver.resolve(machine.identity) } })
    line("identities: one of \(count) recognised, median", again.median)
    line("identities: one of \(count) recognised, 99th percentile", again.p99)
    let strangers = (0..<1000).map { rack.machine(number: 100_000 + $0).identity }
    line(
        "identities: a new one among \(count), median",
        spread(strangers.map { stranger in measured { _ = resolver.resolve(stranger) } }).median)
    line(
        "identities: one of \(count) changes, median",
        spread(known.prefix(1000).map { machine in measured { resolver.update(machine) } }).median)
}
