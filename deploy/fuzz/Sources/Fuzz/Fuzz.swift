import Foundation

/// libFuzzer's entries. `SLIPWAY_FUZZ` names the target.
nonisolated(unsafe) private var target: (([UInt8]) -> Void)?

@_cdecl("LLVMFuzzerInitialize")
public func initialize(_: UnsafeMutablePointer<CInt>, _: UnsafeMutableRawPointer) -> CInt {
    let name = ProcessInfo.processInfo.environment["SLIPWAY_FUZZ"] ?? ""
    guard let found = targets[name] else {
        print("SLIPWAY_FUZZ names no target; there is \(targets.keys.sorted().joined(separator: ", "))")
        exit(64)
    }
    target = found
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func test(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    target?(Array(UnsafeBufferPointer(start: data, count: size)))
    return 0
}
