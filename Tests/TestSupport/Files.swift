import Glibc

/// What tests ask about the file system.
package enum Files {
    package static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }
}
