/// The two output streams of every program.
package enum StandardStream: Int32, Sendable {
    /// For results and the line that says where the program listens.
    case output = 1
    /// For log lines and errors.
    case error = 2

    /// Writes the text and a line feed, in one call if the kernel allows it. A closed or broken stream loses the text,
    /// because a lost log line must not end a session.
    package func writeLine(_ text: String) {
        write(text + "\n")
    }

    /// Writes the text unchanged.
    package func write(_ text: String) {
        let line = Array(text.utf8)
        var offset = 0
        while offset < line.count {
            let written = unsafe line.withUnsafeBytes { bytes in
                unsafe Syscalls.writeFile(rawValue, UnsafeRawBufferPointer(rebasing: bytes.dropFirst(offset)))
            }
            guard written > 0 else { return }
            offset += written
        }
    }
}

/// The running program.
package enum CurrentProcess {
    /// The process number.
    package static var processID: Int32 { Syscalls.processID }

    /// The number of the process that started this one; 1 or that of another reaper when that has ended.
    package static var parentID: Int32 { Syscalls.parentProcessID }

    /// Ends the program with `code`, 0...255, without running anything else.
    package static func exit(_ code: Int32) -> Never {
        Syscalls.exit(code)
    }
}
