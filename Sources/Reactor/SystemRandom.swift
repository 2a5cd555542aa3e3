/// Random bytes from the kernel, fit for secrets.
package enum SystemRandom {
    /// Fills all of `bytes`.
    package static func fill(_ bytes: inout [UInt8]) {
        unsafe bytes.withUnsafeMutableBytes { unsafe fill($0) }
    }

    /// 128 random bits.
    package static func value128() -> UInt128 {
        var value: UInt128 = 0
        unsafe withUnsafeMutableBytes(of: &value) { unsafe fill($0) }
        return value
    }

    private static func fill(_ target: UnsafeMutableRawBufferPointer) {
        var done = 0
        while done < target.count {
            let count = unsafe Syscalls.random(UnsafeMutableRawBufferPointer(rebasing: target[done...]))
            // Every kernel since 3.17 has the call, and it fails only when interrupted. A session identifier needs
            // randomness, so the program cannot go on without.
            precondition(count >= 0, "getrandom is missing")
            done += count
        }
    }
}
