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
    /// SIGCHLD: a child process has ended.
    case child
    /// SIGKILL: end at once; can be sent but not received.
    case kill

    var number: Int32 {
        switch self {
        case .terminate: SIGTERM
        case .interrupt: SIGINT
        case .hangup: SIGHUP
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

    /// Blocks `signals` for the calling thread and those it will start, and ignores `SIGPIPE` in the whole process.
    ///
    /// - Throws: `signalfd` failed.
    package init(_ signals: [Signal] = [.terminate, .interrupt, .hangup]) throws(SystemError) {
        var mask = sigset_t()
        _ = unsafe sigemptyset(&mask)
        for signal in signals { _ = unsafe sigaddset(&mask, signal.number) }
        descriptor = Descriptor(
            owning: try Syscalls.check("signalfd") {
                unsafe signalfd(-1, &mask, Int32(SFD_NONBLOCK) | Int32(SFD_CLOEXEC))
            })
        _ = unsafe pthread_sigmask(SIG_BLOCK, &mask, nil)
        Self.ignoreBrokenPipe()
    }

    /// Ignores `SIGPIPE` in the whole process: a write to a closed pipe then fails with `EPIPE`.
    package static func ignoreBrokenPipe() {
        _ = holdfast_ignore_signal(SIGPIPE)
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
