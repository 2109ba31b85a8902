/// The version of all three programs.
public enum Version {
    public static let current = "0.1.0"
}
