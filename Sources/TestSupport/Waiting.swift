/// Waits until a condition holds. For tests: they wait for what they need, never for luck.
/// - Returns: whether it held in time.
public func eventually(
    within limit: Duration = .seconds(60), every pause: Duration = .milliseconds(20),
    _ condition: () async throws -> Bool
) async rethrows -> Bool {
    let clock = ContinuousClock()
    let deadline = clock.now.advanced(by: limit)
    while clock.now < deadline {
        if try await condition() { return true }
        try? await clock.sleep(for: pause)
    }
    return try await condition()
}
