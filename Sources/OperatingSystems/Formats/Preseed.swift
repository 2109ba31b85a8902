import ConfigDocuments
import Machines

/// Answers for Debian's installer. It finds them as `/preseed.cfg` in its initramfs, before it asks anything of the network.
/// https://www.debian.org/releases/bookworm/amd64/apb.en.html
struct Preseed {
    /// Owner, question, type, value.
    private var lines: [(String, String, String, String)] = []

    /// - Throws: ``ConfigurationError`` for a value that would end its line, and begin one of its own.
    mutating func answer(
        _ question: String, _ type: String, _ value: String, owner: String = "d-i"
    ) throws(ConfigurationError) {
        guard value.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f && $0.value != 0x85 }) else {
            throw ConfigurationError(field: question, reason: "\(value.debugDescription) does not fit on one line")
        }
        // debconf takes a backslash at the end of a line for its continuation.
        guard !value.hasSuffix("\\") else {
            throw ConfigurationError(field: question, reason: "\(value.debugDescription) ends in a backslash")
        }
        lines.append((owner, question, type, value))
    }

    var text: String {
        lines.map { [$0.0, $0.1, $0.2, $0.3].filter { !$0.isEmpty }.joined(separator: " ") + "\n" }.joined()
    }

    /// What every installation without a person at its keyboard answers.
    mutating func answerUnattended() throws(ConfigurationError) {
        try answer("debian-installer/locale", "string", "en_US.UTF-8")
        try answer("keyboard-configuration/xkb-keymap", "select", "us")
        try answer("clock-setup/utc", "boolean", "true")
        try answer("time/zone", "string", "Etc/UTC")
        try answer("passwd/make-user", "boolean", "false")
        try answer("passwd/root-login", "boolean", "true")
        // No password opens it; keys may.
        try answer("passwd/root-password-crypted", "password", "!")
        try answer("popularity-contest/participate", "boolean", "false", owner: "popularity-contest")
        try answer("hw-detect/load_firmware", "boolean", "true")
        try answer("cdrom-detect/eject", "boolean", "false")
        try answer("finish-install/reboot_in_progress", "note", "")
    }

    /// The installer is in the network that the machine booted from, where it was given an address before.
    /// - Parameter nameServers: asked for where DHCP tells none; by blanks, and none is an answer.
    mutating func answer(hostname: String, domain: String, nameServers: String) throws(ConfigurationError) {
        try answer("netcfg/choose_interface", "select", "auto")
        try answer("netcfg/dhcp_timeout", "string", "60")
        // A provisioning network may lead nowhere, with its archive in it.
        try answer("netcfg/no_default_route", "boolean", "true")
        try answer("netcfg/get_nameservers", "string", nameServers)
        try answer("netcfg/get_hostname", "string", hostname)
        try answer("netcfg/hostname", "string", hostname)
        try answer("netcfg/get_domain", "string", domain)
    }

    /// One disk, whole: a system partition for either firmware and a root file system, without swap, which a kubelet does not like.
    mutating func answerPartitions() throws(ConfigurationError) {
        try answer("partman-auto/method", "string", "regular")
        let parts = [
            "slipway ::", "1 1 1 free $bios_boot{ } method{ biosgrub } .",
            "256 256 512 fat32 $iflabel{ gpt } $reusemethod{ } method{ efi } format{ } .",
            "2000 10000 -1 ext4 method{ format } format{ } use_filesystem{ } filesystem{ ext4 } mountpoint{ / } .",
        ]
        try answer("partman-auto/expert_recipe", "string", parts.joined(separator: " "))
        try answer("partman-auto/choose_recipe", "select", "slipway")
        try answer("partman-partitioning/choose_label", "select", "gpt")
        try answer("partman/default_label", "string", "gpt")
        try answer("partman-basicfilesystems/no_swap", "boolean", "false")
        try answer("partman-efi/non_efi_system", "boolean", "true")
        try answer("partman/choose_partition", "select", "finish")
        for question in [
            "partman-lvm/device_remove_lvm", "partman-md/device_remove_md",
            "partman-partitioning/confirm_write_new_label",
            "partman/confirm", "partman/confirm_nooverwrite",
        ] { try answer(question, "boolean", "true") }
    }

    /// Where packages come from.
    mutating func answer(mirror host: String, directory: String, proxy: String) throws(ConfigurationError) {
        try answer("mirror/country", "string", "manual")
        try answer("mirror/protocol", "select", "http")
        try answer("mirror/http/hostname", "string", host)
        try answer("mirror/http/directory", "string", directory)
        try answer("mirror/http/proxy", "string", proxy)
    }

    /// GRUB on the disk of the installation, and at the path that firmware looks at when its own entries are gone.
    mutating func answerBootLoader() throws(ConfigurationError) {
        try answer("grub-installer/only_debian", "boolean", "true")
        try answer("grub-installer/with_other_os", "boolean", "false")
        try answer("grub-installer/force-efi-extra-removable", "boolean", "true")
    }
}
