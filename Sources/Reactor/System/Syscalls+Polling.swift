import CLinux
import Glibc

/// Waiting until descriptors are ready.
extension Syscalls {
    /// A new epoll instance, closed on exec.
    static func makeEpoll() throws(SystemError) -> Int32 {
        try check("epoll_create1", retrying { Int(epoll_create1(Int32(EPOLL_CLOEXEC))) })
    }

    /// Tells an epoll instance what to watch `target` for.
    @inline(never)
    static func control(
        _ epoll: Int32, _ operation: Int32, _ target: Int32, _ event: UnsafeMutablePointer<epoll_event>
    ) -> Int {
        retrying { unsafe Int(epoll_ctl(epoll, operation, target, event)) }
    }

    /// Waits for events, without limit for -1; returns 0 after the time or a signal.
    @inline(never)
    static func wait(
        _ epoll: Int32, _ events: UnsafeMutableBufferPointer<epoll_event>, milliseconds: Int32
    ) -> Int {
        // Not retried: a signal ends the wait early, and the caller computes a new timeout anyway.
        let count = once {
            unsafe Int(epoll_wait(epoll, events.baseAddress, Int32(clamping: events.count), milliseconds))
        }
        return count == -Int(EINTR) ? 0 : count
    }

    /// Whether a write to `descriptor` would not wait.
    static func isWritable(_ descriptor: Int32) -> Bool {
        var question = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return retrying { unsafe Int(poll(&question, 1, 0)) } == 1 && Int32(question.revents) & POLLOUT != 0
    }
}
