import Inventory

/// A drive's own ways to erase it, behind one face for NVMe, ATA and SCSI.
protocol DriveEraser: Sendable {
    /// Brings the drive out of what an earlier order left half done: waits for a sanitize operation, takes off a password of ours.
    /// - Throws: ``WipeFailure`` when a drive stays as it cannot be erased.
    func settle(_ progress: (Double?) -> Void) throws -> DriveState
    func availability(of method: EraseMethod) -> Availability
    /// Has the drive do it, and waits for its end.
    /// - Returns: what the drive says of it, which proves nothing.
    /// - Throws: ``WipeFailure`` when it began and did not end well: nobody knows what the drive holds then.
    func carryOut(_ method: EraseMethod, _ progress: (Double?) -> Void) throws -> Attempt
}

/// What was found when a drive was settled.
struct DriveState: Equatable {
    /// For the record, such as `a sanitize operation of an earlier order was waited for`.
    var remarks: [String] = []
    /// Its last sanitize operation failed: it gives access to no block until another succeeds.
    var needsSanitize = false
    /// Sectors that no read and no write reaches, in words for a person: what they hold is beyond every proof.
    var hidden: String?
}

/// Whether a drive has a method.
enum Availability: Equatable {
    case available
    case absent(String)
    /// It has it, and its firmware locked it until the next power cycle.
    case frozen(String)
}

/// What became of a method that the drive has.
enum Attempt: Equatable {
    case done
    /// The drive did not begin: what it held, it holds.
    case refused(String)
}

/// A drive whose controller or hypervisor takes no erase commands.
struct PlainDrive: DriveEraser {
    func settle(_ progress: (Double?) -> Void) -> DriveState { DriveState() }
    func availability(of method: EraseMethod) -> Availability { .absent("it takes no erase commands") }
    func carryOut(_ method: EraseMethod, _ progress: (Double?) -> Void) -> Attempt {
        .refused("it takes no erase commands")
    }
}

/// Asks a drive again and again how far it is.
struct Patience {
    /// Between two questions.
    static let interval = Duration.seconds(2)
    /// After so many questions in a row without an answer a drive is given up.
    static let silences = 30

    /// - Parameters:
    ///   - limit: in seconds.
    ///   - look: nil when there is no answer.
    /// - Throws: ``WipeFailure``.
    static func wait<Ending>(
        _ what: String, limit: Int64, _ devices: some WipeDevices, _ progress: (Double?) -> Void,
        look: () -> Look<Ending>?
    ) throws -> Ending {
        var (waited, silent) = (Duration.zero, 0)
        while true {
            switch look() {
            case .over(let ending): return ending
            case .under(let fraction):
                silent = 0
                progress(fraction)
            case nil:
                silent += 1
                guard silent < silences else {
                    throw WipeFailure(
                        "\(what): it answers no more; a power cycle may bring it back, then wipe it again")
                }
            }
            guard waited < .seconds(limit) else {
                throw WipeFailure("\(what): not over after \(limit / 60) minutes; wait, then wipe it again")
            }
            devices.rest(interval)
            waited += interval
        }
    }

    enum Look<Ending> {
        case under(Double?)
        case over(Ending)
    }
}
