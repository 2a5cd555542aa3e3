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
        descriptor = Descriptor(owning: try Syscalls.makeSignalDescriptor(signals))
        Syscalls.block(signals)
        Self.ignoreWriteSignals()
    }

    /// Ignores `SIGPIPE` and `SIGXFSZ` in the whole process: a write to a closed pipe fails with `EPIPE` then, and one to a file
    /// that may not grow with `EFBIG`.
    package static func ignoreWriteSignals() {
        Syscalls.ignoreWriteSignals()
    }

    /// The next signal that has come, nil if there is none.
    package func next() -> Signal? {
        guard let number = Syscalls.nextSignal(descriptor.number) else { return nil }
        return Signal.allCases.first { $0.number == number }
    }
}
