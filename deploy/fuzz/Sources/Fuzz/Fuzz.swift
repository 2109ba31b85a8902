import Foundation

typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

/// libFuzzer as a function: it takes its options off the arguments, and calls `test` with one input after another.
@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<Arguments>,
    _ test: @convention(c) (UnsafePointer<UInt8>, Int) -> CInt
) -> CInt

private let name = ProcessInfo.processInfo.environment["SLIPWAY_FUZZ"] ?? ""

private let target = targets[name]

/// The name that SwiftPM gives to the `main` of this program. `SLIPWAY_FUZZ` names the target.
@_cdecl("Fuzz_main")
public func fuzzMain(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
    guard target != nil else {
        print("SLIPWAY_FUZZ names no target; there is \(targets.keys.sorted().joined(separator: ", "))")
        return 64
    }
    var (count, arguments) = (count, arguments)
    return runDriver(&count, &arguments) { data, size in
        target?(Array(UnsafeBufferPointer(start: data, count: size)))
        return 0
    }
}
