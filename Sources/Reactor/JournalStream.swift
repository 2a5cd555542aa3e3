/// Whether systemd's journal reads an output stream.
///
/// The service manager says in `JOURNAL_STREAM` to which socket it has connected the streams (systemd.exec(5)). The variable
/// alone proves nothing: a process whose stream was redirected has inherited it too.
package enum JournalStream {
    /// Whether `variable`, the value of `JOURNAL_STREAM`, names what standard error is connected to. Nil is the value of a
    /// variable that is not set.
    package static func isStandardError(_ variable: String?) -> Bool {
        variable.map { names($0, StandardStream.error.rawValue) } ?? false
    }

    /// Whether `DEVICE:INODE` is that of the descriptor's file.
    static func names(_ text: String, _ descriptor: Int32) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let device = UInt(parts[0]), let number = UInt(parts[1]),
            let status = Syscalls.status(of: descriptor)
        else { return false }
        return (status.device, status.number) == (device, number)
    }
}
