import Foundation
import TestSupport

/// An interactive shell on a terminal, in which somebody types the beginning of a line and the tabulator key.
enum TypedCompletion {
    /// - Parameter wanted: what the shell makes of it.
    /// - Returns: nil when it does; else what was on the terminal.
    static func fault(
        _ shell: String, script: String, typing line: String, wanted: String, environment: [String: String]
    ) async throws -> String? {
        let run = try await ChildProcess.run(
            "/usr/bin/python3", ["-c", driver, shell, script, line, wanted], environment: environment)
        return run.status == 0 ? nil : run.output
    }

    // The standard library of Python has terminals, that of Swift has none.
    private static let driver = """
        import os, pty, select, sys, time
        shell, script, line, wanted = sys.argv[1:]
        commands = {
            "bash": (["bash", "--norc", "--noprofile", "-i"], "source " + script),
            "zsh": (["zsh", "-f", "-i"], "autoload -U compinit; compinit -u -D; source " + script + "; compdef _slipway slipway"),
            "fish": (["fish", "--no-config", "-i"], "source " + script),
        }
        command, setup = commands[shell]
        child, terminal = pty.fork()
        if child == 0:
            os.execvp(command[0], command)
        def expect(text):
            seen, end = b"", time.monotonic() + 60
            while text.encode() not in seen:
                if not select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
                    sys.exit(f"no {text!r} in {seen!r}")
                seen += os.read(terminal, 4096)
        # What is echoed of the command is not what it prints.
        os.write(terminal, f"{setup}; echo rea''dy\\n".encode())
        expect("ready")
        os.write(terminal, line.encode() + b"\\t")
        expect(wanted)
        """
}
