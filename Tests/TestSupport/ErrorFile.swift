import CLinux
import Glibc

/// The file that a daemon's messages go to. All processes of the program have it as their standard error, whoever their
/// parent is. So it shows which processes belong to a daemon, also when its supervisor has died.
struct ErrorFile: ~Copyable {
    let descriptor: Int32

    /// Makes the file, which has no name any more.
    init() throws {
        var name = Array("/tmp/holdfast-test-XXXXXX".utf8CString)
        descriptor = try Sockets.check("mkstemp", mkstemp(&name))
        unlink(name)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    deinit { _ = close(descriptor) }

    /// Everything that was written so far.
    var text: String {
        get throws {
            var text: [UInt8] = []
            var bytes = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = pread(descriptor, &bytes, bytes.count, off_t(text.count))
                guard count >= 0 else { throw TestFault("pread: \(String(cString: strerror(errno)))") }
                if count == 0 { return text.text }
                text += bytes[..<count]
            }
        }
    }

    /// What `JOURNAL_STREAM` says of this file, or of another one.
    func journal(isItsOwn: Bool) throws -> String {
        let status = try status()
        return "\(status.st_dev):\(isItsOwn ? status.st_ino : status.st_ino + 1)"
    }

    /// Ends all processes that have the file as their standard error, and returns when there is none any more.
    func endWriters() throws {
        let own = try status()
        try Patience.wait("no process writes to the file of a daemon that is over", pause: 1) {
            let writers = try Self.processes().filter { process in
                // Some processes end meanwhile, and one that has ended has no descriptors.
                var status = stat()
                return stat("/proc/\(process)/fd/2", &status) == 0 && Self.isSame(status, own)
            }
            for writer in writers { kill(writer, SIGKILL) }
            return writers.isEmpty
        }
    }

    private func status() throws -> stat {
        var status = stat()
        try Sockets.check("fstat", fstat(descriptor, &status))
        return status
    }

    private static func isSame(_ one: stat, _ other: stat) -> Bool {
        one.st_dev == other.st_dev && one.st_ino == other.st_ino
    }

    private static func processes() throws -> [pid_t] {
        guard let directory = opendir("/proc") else { throw TestFault("opendir /proc") }
        defer { closedir(directory) }
        var processes: [pid_t] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let process = pid_t(name) { processes.append(process) }
        }
        return processes
    }
}
