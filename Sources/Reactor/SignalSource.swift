import CLinux
import Glibc

/// The signals that this program knows.
package enum Signal: Sendable, CaseIterable, Hashable {
    /// SIGTERM: end in order.
    case terminate
    /// SIGINT: the same, from the keyboard.
    case interrupt
    /// SIGHUP: read the configuration again.
    case hangup
    /// SIGQUIT: end in order, as nginx's operators say it.
    case quit
    /// SIGUSR1: nothing here; elsewhere it opens log files again.
    case user1
    /// SIGUSR2: nothing here.
    case user2
    /// SIGCHLD: a child process has ended.
    case child
    /// SIGKILL: end at once; can be sent but not received.
    case kill

    var number: Int32 {
        switch self {
        case .terminate: SIGTERM
        case .interrupt: SIGINT
        case .hangup: SIGHUP
        case .quit: SIGQUIT
        case .user1: SIGUSR1
        case .user2: SIGUSR2
        case .child: SIGCHLD
        case .kill: SIGKILL
        }
    }
}

/// Signals as readable bytes: the named ones are blocked and arrive here, so nothing is interrupted by a handler.
///
/// To be made before any other thread exists, for a thread inherits the mask.
package struct SignalSource: ~Copyable {
    /// The signal descriptor, to be registered for `.readable`.
    package let descriptor: Descriptor

    /// Blocks `signals` for the calling thread and those it will start, and ignores what a write can raise in the whole
    /// process.
    ///
    /// - Throws: `signalfd` failed.
    package init(
        _ signals: [Signal] = [.terminate, .interrupt, .hangup, .quit, .user1, .user2]
    ) throws(SystemError) {
        var mask = sigset_t()
        _ = unsafe sigemptyset(&mask)
        for signal in signals { _ = unsafe sigaddset(&mask, signal.number) }
        descriptor = Descriptor(
            owning: try Syscalls.check("signalfd") {
                unsafe signalfd(-1, &mask, Int32(SFD_NONBLOCK) | Int32(SFD_CLOEXEC))
            })
        _ = unsafe pthread_sigmask(SIG_BLOCK, &mask, nil)
        Self.ignoreWriteSignals()
    }

    /// Ignores `SIGPIPE` and `SIGXFSZ` in the whole process: a write to a closed pipe fails with `EPIPE` then, and one to a file
    /// that may not grow with `EFBIG`.
    package static func ignoreWriteSignals() {
        _ = holdfast_ignore_signal(SIGPIPE)
        _ = holdfast_ignore_signal(SIGXFSZ)
    }

    /// The next signal that has come, nil if there is none.
    package func next() -> Signal? {
        var info = signalfd_siginfo()
        let number = descriptor.number
        let size = MemoryLayout<signalfd_siginfo>.size
        let count = unsafe withUnsafeMutableBytes(of: &info) { unsafe Syscalls.readFile(number, $0) }
        guard count == size else { return nil }
        return Signal.allCases.first { $0.number == Int32(bitPattern: info.ssi_signo) }
    }
}
