import Glibc

/// A thread for work that blocks: reading the network, unpacking, writing a disk.
enum AgentThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a detached thread.
    static func start(_ name: String, _ run: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let body = Unmanaged.passRetained(Body(run))
        let failed = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, body.toOpaque())
        guard failed == 0 else {
            body.release()
            return Console.say("no thread for \(name): \(String(cString: strerror(failed)))")
        }
        pthread_detach(thread)
    }

    /// Runs blocking work on a thread of its own and waits for it without blocking the caller's.
    static func perform<Result: Sendable>(_ name: String, _ run: @escaping @Sendable () throws -> Result) async throws
        -> Result
    {
        try await withCheckedThrowingContinuation { continuation in
            start(name) { continuation.resume(with: Swift.Result { try run() }) }
        }
    }
}
