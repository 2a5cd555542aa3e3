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

    /// Waits until a file no longer exists.
    package static func wait(untilGone path: String) throws {
        for _ in 0..<Int(Patience.milliseconds / 10) {
            if !exists(path) { return }
            Patience.pause()
        }
        throw TestFault("\(path) is still there")
    }
}
