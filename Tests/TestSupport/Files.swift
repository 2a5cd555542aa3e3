import Glibc

/// Functions for tests about the file system.
package enum Files {
    package static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// The beginning of a file, at most 64 KiB.
    package static func read(_ path: String) throws -> String {
        let descriptor = try Sockets.check("open \(path)", open(path, O_RDONLY | O_CLOEXEC))
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        return Array(bytes[..<max(0, count)]).text
    }

    /// The number of entries of a directory.
    package static func count(in path: String) throws -> Int {
        guard let directory = opendir(path) else { throw TestFault("opendir \(path)") }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // Every directory lists itself and its parent.
        return count - 2
    }

    /// Removes a file.
    package static func remove(_ path: String) throws {
        try Sockets.check("unlink \(path)", unlink(path))
    }

    /// Writes a file whose bytes are `text`, in the place of the one that may be there: whoever has opened that keeps it.
    package static func write(_ text: String, to path: String) throws {
        let new = "\(path).new"
        let descriptor = try Sockets.check("open \(new)", open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o755))
        let bytes = Array(text.utf8)
        let count = Glibc.write(descriptor, bytes, bytes.count)
        close(descriptor)
        guard count == bytes.count else { throw TestFault("write \(new)") }
        try Sockets.check("rename \(new)", rename(new, path))
    }

    /// Puts a copy of a program at a path, in the place of the one that may be there.
    package static func copyProgram(_ source: String, to path: String) throws {
        let new = "\(path).new"
        unlink(new)
        let from = try Sockets.check("open \(source)", open(source, O_RDONLY | O_CLOEXEC))
        let into = try Sockets.check("open \(new)", open(new, O_WRONLY | O_CREAT | O_CLOEXEC, 0o755))
        defer {
            close(from)
            close(into)
        }
        while true {
            let count = sendfile(into, from, nil, 1 << 24)
            guard count >= 0 else { throw TestFault("sendfile \(new)") }
            if count == 0 { break }
        }
        try Sockets.check("rename \(new)", rename(new, path))
    }

    /// Waits until a file no longer exists.
    package static func wait(untilGone path: String) throws {
        try Patience.wait("\(path) is gone") { !exists(path) }
    }
}
