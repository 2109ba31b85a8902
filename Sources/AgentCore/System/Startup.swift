import CAgent
import Glibc

/// What PID 1 does before anything else. Does nothing on a host where it is an ordinary program.
public enum Startup {
    public static var isPID1: Bool { getpid() == 1 }

    public static func mountFileSystems() {
        guard isPID1 else { return }
        // /proc is there already: a constructor mounted it before the Swift runtime began.
        for (source, target, type) in [
            ("sysfs", "/sys", "sysfs"), ("devtmpfs", "/dev", "devtmpfs"), ("devpts", "/dev/pts", "devpts"),
            ("tmpfs", "/run", "tmpfs"), ("tmpfs", "/tmp", "tmpfs"),
        ] {
            mkdir(target, 0o755)
            if mount(source, target, type, UInt(MS_NOSUID), nil) != 0, errno != EBUSY {
                Console.say("cannot mount \(target): \(String(cString: strerror(errno)))")
            }
        }
        // The kernel gave us its console only if /dev/console was in the initramfs.
        let console = open("/dev/console", O_RDWR | O_NOCTTY)
        if console >= 0 {
            for standard in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] { dup2(console, standard) }
            if console > 2 { close(console) }
        }
        _ = agent_link_set_up("lo", 1)
    }

    /// The end of an agent that cannot go on: words, time to read them, and the firmware again. PID 1 never returns.
    public static func giveUp(_ why: String) -> Never {
        Console.say("cannot go on: \(why)")
        guard isPID1 else { exit(1) }
        Console.say("restarting in 30 seconds")
        sleep(30)
        _ = agent_reboot(CChar(UInt8(ascii: "r")))
        while true { sleep(3600) }
    }
}
