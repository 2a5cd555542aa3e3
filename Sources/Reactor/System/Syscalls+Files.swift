import CLinux
import Glibc

/// The file at a path or behind a descriptor.
struct FileStatus {
    /// The kinds of file that this program distinguishes.
    enum Kind {
        case socket, pipe, characterDevice, other
    }

    let kind: Kind
    /// The device, and the number on it, which distinguish the file from another one at the same path.
    let device: UInt
    let number: UInt
    /// The length in bytes; 0 for what has none.
    let size: Int

    fileprivate init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFSOCK: .socket
            case S_IFIFO: .pipe
            case S_IFCHR: .characterDevice
            default: .other
            }
        device = UInt(status.st_dev)
        number = UInt(status.st_ino)
        size = Int(status.st_size)
    }
}

/// Files and paths, and descriptors that are not sockets.
extension Syscalls {
    /// For descriptors that are not sockets.
    @inline(never)
    static func readFile(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        retrying { unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
    }

    /// For descriptors that are not sockets.
    @inline(never)
    static func writeFile(_ descriptor: Int32, _ buffer: UnsafeRawBufferPointer) -> Int {
        retrying { unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count) }
    }

    /// Opens a file for reading, closed on exec.
    static func openForReading(_ path: String) throws(SystemError) -> Int32 {
        try check("open", retrying { unsafe Int(holdfast_open(path, O_RDONLY | O_CLOEXEC)) })
    }

    /// Opens a file for writing that never waits and never becomes the controlling terminal, closed on exec.
    static func openForWriting(_ path: String) throws(SystemError) -> Int32 {
        try check("open", retrying { unsafe Int(holdfast_open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)) })
    }

    /// Opens a file for writing at its end, and creates one with mode 0640. Writing never waits, and the file is closed on
    /// exec.
    static func openForAppending(_ path: String) throws(SystemError) -> Int32 {
        try check("open", retrying { unsafe Int(holdfast_open_appended(path)) })
    }

    /// Turns blocking on or off (`O_NONBLOCK`).
    static func setBlocking(_ descriptor: Int32, _ blocking: Bool) throws(SystemError) {
        let flags = try check("fcntl", retrying { Int(holdfast_status_flags(descriptor)) })
        let wanted = blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK
        try check("fcntl", retrying { Int(holdfast_set_status_flags(descriptor, wanted)) })
    }

    /// Another descriptor for the same open file, closed on exec.
    static func duplicate(_ descriptor: Int32) throws(SystemError) -> Int32 {
        try check("fcntl", retrying { Int(holdfast_duplicate(descriptor)) })
    }

    /// Has a descriptor closed on exec, or kept.
    static func setClosedOnExec(_ descriptor: Int32, _ closed: Bool) throws(SystemError) {
        try check("fcntl", retrying { Int(holdfast_set_closed_on_exec(descriptor, closed ? 1 : 0)) })
    }

    /// Reads from a place of a file, without moving any position.
    static func readFile(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
        retrying { unsafe Glibc.pread(descriptor, buffer.baseAddress, buffer.count, offset) }
    }

    /// An eventfd at 0. Writing adds to it, and reading takes all of it. It does not block and is closed on exec.
    static func makeEventCounter() throws(SystemError) -> Int32 {
        try check("eventfd", retrying { Int(eventfd(0, Int32(O_NONBLOCK | O_CLOEXEC))) })
    }

    /// The status of `descriptor`; nil when the kernel does not say.
    static func status(of descriptor: Int32) -> FileStatus? {
        var status = stat()
        return retrying { unsafe Int(fstat(descriptor, &status)) } == 0 ? FileStatus(status) : nil
    }

    /// The status of the file at `path`, not of a link's target; nil when there is none.
    static func status(at path: String) -> FileStatus? {
        var status = stat()
        return retrying { unsafe Int(lstat(path, &status)) } == 0 ? FileStatus(status) : nil
    }

    /// What is at `path`, or at the target of a link there: a folder or another file. Fails when nothing can be found out.
    static func isFolder(_ path: String) throws(SystemError) -> Bool {
        var status = stat()
        try check("stat", retrying { unsafe Int(stat(path, &status)) })
        return status.st_mode & S_IFMT == S_IFDIR
    }

    /// The permission bits of what is at `path`, or at the target of a link there.
    static func mode(of path: String) throws(SystemError) -> UInt32 {
        var status = stat()
        try check("stat", retrying { unsafe Int(stat(path, &status)) })
        return UInt32(status.st_mode) & 0o7777
    }

    /// Sets the permission bits.
    static func changeMode(of path: String, to mode: UInt32) throws(SystemError) {
        try check("chmod", retrying { unsafe Int(chmod(path, mode_t(mode))) })
    }

    static func unlink(_ path: String) throws(SystemError) {
        try check("unlink", retrying { unsafe Int(Glibc.unlink(path)) })
    }

    /// Reads the target of a symbolic link into `buffer`; cuts what does not fit.
    static func readLink(_ path: String, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        let target = unsafe buffer.assumingMemoryBound(to: CChar.self)
        // The C library accepts no null buffer, even for zero bytes.
        guard let start = target.baseAddress else { return 0 }
        return retrying { unsafe readlink(path, start, target.count) }
    }

    /// Whether this process may execute the file.
    static func isExecutable(_ path: String) -> Bool {
        retrying { unsafe Int(access(path, X_OK)) } == 0
    }
}
