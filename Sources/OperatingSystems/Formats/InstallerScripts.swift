import Machines

/// Shell scripts that run in an installer, for what its own format has no word for.
enum InstallerScripts {
    /// Tells the daemon. `curl` knows it by the CA alone, and says nothing to anybody else.
    static func report(_ news: InstallationNews, _ callback: Callback, authority: String) -> String {
        "curl --disable --silent --show-error --proto =https --noproxy '*' --cacert \(ShellText.quoted(authority)) --max-time 30 --retry 5 "
            + "--request POST \(ShellText.quoted(callback.url(news)))"
    }

    /// Fetches a file of the release to a path, by a wire that anybody may tamper with, and believes it by its digest only. A command that fails.
    static func fetch(
        _ role: ArtifactRole, of release: TargetRelease, to path: String
    ) throws(ConfigurationError) -> String {
        let file = ShellText.quoted(path)
        return "curl --disable --silent --show-error --fail --noproxy '*' --retry 5 --output \(file) "
            + "\(ShellText.quoted(try release.url(role))) && "
            + "echo \(ShellText.quoted("\(try release.digest(role))  \(path)")) | sha256sum --check --status"
    }

    /// The firmware's order of boot entries as it was found: first the one that led here, the network; then the system that was just installed;
    /// then all others as they were. Where there is no UEFI nothing happens.
    static let bootOrder = """
        if [ -d /sys/firmware/efi/efivars ] && command -v efibootmgr >/dev/null; then
            entries=$(efibootmgr)
            current=$(echo "$entries" | sed -n 's/^BootCurrent: *\\([0-9A-Fa-f]\\{4\\}\\).*/\\1/p')
            order=$(echo "$entries" | sed -n 's/^BootOrder: *//p')
            rest=
            for entry in $(echo "$order" | tr ',' ' '); do
                [ "$entry" = "$current" ] || rest="$rest,$entry"
            done
            [ -z "$current" ] || efibootmgr --quiet --bootorder "$current$rest" || true
        fi

        """

    /// Looks for the one disk of the order by its stable name. Sets `disk` to the kernel's name for it, or ends with a message.
    static func findDisk(_ machine: TargetMachine) -> String {
        """
        wanted=\(ShellText.quoted(machine.stableDiskPath))
        disk=$(readlink -f "$wanted")
        if [ ! -b "$disk" ]; then
            echo "slipway: $wanted is not there; nothing is installed" >&2
            exit 1
        fi

        """
    }
}
