import CLinux
import Glibc

/// Where the kernel is called: everything that this program does outside its own memory goes through here, by an ordinary call
/// of the C library's function of that name. An executable that has functions of these names itself gets the calls.
///
/// A call whose caller looks at the kernel's reason has the kernel's style: the result when it is 0 or more, otherwise the
/// negated `errno`. The others throw that as a `SystemError`, or say in their description what they return.
///
/// `errno` belongs to a thread and to its last call, so it is read right behind the call, in the same function, by one of the
/// two functions below; on the data path that function is never inlined. `EINTR` is retried here and nowhere else.
package enum Syscalls {
    /// Makes a call, and makes it again for as long as a signal interrupts it.
    @inline(__always)
    static func retrying(_ call: () -> Int) -> Int {
        while true {
            let value = call()
            guard value < 0 else { return value }
            let code = errno
            if code != EINTR { return -Int(code) }
        }
    }

    /// Makes a call that must not be repeated when a signal interrupted it: `-EINTR` is a result like any other.
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

    /// Closes a descriptor. Never retried: Linux has freed the number even when it reports `EINTR`, and another descriptor may
    /// have it by then.
    @inline(never) @discardableResult
    static func close(_ descriptor: Int32) -> Int {
        once { Int(Glibc.close(descriptor)) }
    }
}
