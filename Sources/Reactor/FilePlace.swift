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

    /// Whether users other than the owner and the group may read what is at this path, or at the target of a link there.
    /// False when this cannot be found out.
    package static func isReadableByAll(_ path: String) -> Bool {
        do throws(SystemError) {
            return try Syscalls.mode(of: path) & 0o004 != 0
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
