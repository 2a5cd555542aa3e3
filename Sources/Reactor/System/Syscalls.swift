import CLinux
import Glibc

/// The only place that calls the kernel: everything that this program does outside its own memory goes through here, by
/// an ordinary call of the C library's function. An executable with functions of the same names receives the calls
/// instead.
///
/// When a caller needs the kernel's error, the function returns the result if it is 0 or more, and otherwise the
/// negated `errno`. Other functions throw it as a `SystemError`, or document what they return.
///
/// `errno` belongs to a thread and to its last call. So it is read directly after the call, in the same function, by
/// one of the two functions below; on the data path that function is never inlined. `EINTR` is retried only here.
package enum Syscalls {
    /// Makes a call, and repeats it while a signal interrupts it.
    @inline(__always)
    static func retrying(_ call: () -> Int) -> Int {
        while true {
            let value = call()
            guard value < 0 else { return value }
            let code = errno
            if code != EINTR { return -Int(code) }
        }
    }

    /// Makes a call that must not be repeated after a signal: `-EINTR` is a result like any other.
    @inline(__always)
    static func once(_ call: () -> Int) -> Int {
        let value = call()
        return value < 0 ? -Int(errno) : value
    }

    /// - Throws: `SystemError` with `name` when the result is a negated `errno`.
    @discardableResult
    static func check(_ name: String, _ result: Int) throws(SystemError) -> Int32 {
        guard result >= 0 else { throw SystemError(call: name, result: result) }
        return Int32(clamping: result)
    }

    /// Closes a descriptor. Never retried: Linux has freed the number even when it reports `EINTR`, and another
    /// descriptor may have it already.
    @inline(never) @discardableResult
    static func close(_ descriptor: Int32) -> Int {
        once { Int(Glibc.close(descriptor)) }
    }
}
