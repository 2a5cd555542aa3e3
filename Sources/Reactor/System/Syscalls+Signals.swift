import CLinux
import Glibc

extension Signal {
    /// The kernel's number.
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

/// Receiving signals.
extension Syscalls {
    /// A descriptor from which `signals` are read once they are blocked. It does not block and is closed on exec.
    static func makeSignalDescriptor(_ signals: [Signal]) throws(SystemError) -> Int32 {
        var mask = mask(of: signals)
        return try check(
            "signalfd", retrying { unsafe Int(signalfd(-1, &mask, Int32(SFD_NONBLOCK) | Int32(SFD_CLOEXEC))) })
    }

    /// Blocks `signals` for the calling thread and those it will start.
    static func block(_ signals: [Signal]) {
        var mask = mask(of: signals)
        // The call fails only for a `how` that does not exist.
        _ = unsafe pthread_sigmask(SIG_BLOCK, &mask, nil)
    }

    /// The number of the next signal from a signal descriptor; nil when none has come.
    static func nextSignal(_ descriptor: Int32) -> Int32? {
        var info = signalfd_siginfo()
        let count = unsafe withUnsafeMutableBytes(of: &info) { unsafe readFile(descriptor, $0) }
        return count == MemoryLayout<signalfd_siginfo>.size ? Int32(bitPattern: info.ssi_signo) : nil
    }

    /// Ignores `signals` in the whole process.
    package static func ignore(_ signals: [Signal]) {
        for signal in signals { _ = holdfast_ignore_signal(signal.number) }
    }

    /// Ignores in the whole process the signals that a write can raise, `SIGPIPE` and `SIGXFSZ`.
    package static func ignoreWriteSignals() {
        _ = holdfast_ignore_signal(SIGPIPE)
        _ = holdfast_ignore_signal(SIGXFSZ)
    }

    /// Has the kernel end this process after so many seconds (`SIGALRM`), whatever it does then; never for 0. Each call
    /// replaces the last one.
    package static func endProcess(afterSeconds seconds: UInt32) {
        _ = alarm(seconds)
    }

    private static func mask(of signals: [Signal]) -> sigset_t {
        var mask = sigset_t()
        _ = unsafe sigemptyset(&mask)
        for signal in signals { _ = unsafe sigaddset(&mask, signal.number) }
        return mask
    }
}
