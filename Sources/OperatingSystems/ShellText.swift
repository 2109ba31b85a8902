/// Texts for `/bin/sh`.
enum ShellText {
    /// One word, whatever is in it: nothing between single quotes means anything to a shell (POSIX 2.2.2).
    static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
