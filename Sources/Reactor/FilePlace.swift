/// What is found at a path.
package enum FilePlace {
    /// Whether there is a folder at this path; a link to one counts. False when this user may not look.
    package static func isFolder(_ path: String) -> Bool {
        do throws(SystemError) {
            return try Syscalls.isFolder(path)
        } catch {
            return false
        }
    }

    /// Whether there is anything at this path. True when this user may not look.
    package static func exists(_ path: String) -> Bool {
        do throws(SystemError) {
            _ = try Syscalls.isFolder(path)
            return true
        } catch {
            return !error.isMissing
        }
    }
}
