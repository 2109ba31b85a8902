import Machines

/// Files that an initramfs made by Debian's initramfs-tools, casper's among them, leaves in the system that it starts.
///
/// Its `/init` reads every file of `/conf/conf.d` as shell, first of all, and runs the scripts that `/scripts/init-bottom/ORDER` names last of
/// all, when the root is mounted: a line more there, and a script of ours is among them (initramfs-tools(7), `init`, `scripts/functions`).
enum InitramfsSeed {
    /// - Parameter files: paths without a leading slash, below the root of the started system.
    static func files(_ files: [(path: String, content: String)]) -> [OverlayFile] {
        let kept = files.map { OverlayFile(path: "slipway/root/\($0.path)", content: $0.content) }
        return [
            OverlayFile(
                path: "conf/conf.d/slipway", mode: 0o644,
                content: "echo '/scripts/init-bottom/slipway \"$@\"' >>/scripts/init-bottom/ORDER\n"),
            OverlayFile(
                path: "scripts/init-bottom/slipway", mode: 0o755,
                content: """
                    #!/bin/sh
                    [ "$1" != prereqs ] || exit 0
                    cp -a /slipway/root/. "${rootmnt}/"

                    """),
        ] + kept
    }
}
