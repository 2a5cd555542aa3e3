/// The signals that this program knows.
package enum Signal: Sendable, CaseIterable, Hashable {
    /// SIGTERM: end in order.
    case terminate
    /// SIGINT: the same, from the keyboard.
    case interrupt
    /// SIGHUP: read the configuration again.
    case hangup
    /// SIGQUIT: end in order, as nginx operators expect.
    case quit
    /// SIGUSR1: no effect here; other servers reopen log files.
    case user1
    /// SIGUSR2: replace the program by the one that its path names now.
    case user2
    /// SIGCHLD: a child process has ended.
    case child
    /// SIGKILL: end at once; can be sent but not received.
    case kill
}

/// Delivers signals as readable bytes: the given signals are blocked and arrive here, so that no handler interrupts
/// anything.
///
/// Make it before any other thread exists, because threads inherit the mask.
package struct SignalSource: ~Copyable {
    /// The signal descriptor, to be registered for `.readable`.
    package let descriptor: Descriptor

    /// Blocks `signals` for the calling thread and those it will start, and ignores, in the whole process, the signals
    /// that a write can raise.
    ///
    /// - Throws: `signalfd` failed.
    package init(
        _ signals: [Signal] = [.terminate, .interrupt, .hangup, .quit, .user1, .user2]
    ) throws(SystemError) {
        descriptor = Descriptor(owning: try Syscalls.makeSignalDescriptor(signals))
        Syscalls.block(signals)
        Self.ignoreWriteSignals()
    }

    /// Ignores `SIGPIPE` and `SIGXFSZ` in the whole process. A write to a closed pipe then fails with `EPIPE`, and one
    /// to a file that may not grow with `EFBIG`.
    package static func ignoreWriteSignals() {
        Syscalls.ignoreWriteSignals()
    }

    /// The next signal that has come; nil if there is none.
    package func next() -> Signal? {
        guard let number = Syscalls.nextSignal(descriptor.number) else { return nil }
        return Signal.allCases.first { $0.number == number }
    }
}
