import CLinux
import Glibc

/// Users, groups, and what this process may do.
extension Syscalls {
    /// Whether this process may do everything, as root may.
    static var isPrivileged: Bool { geteuid() == 0 }

    /// The effective user and group of this process.
    static var currentUser: (user: UInt32, group: UInt32) { (geteuid(), getegid()) }

    /// The number of a user and of the user's group; nil when there is no such user. It may read files and ask servers.
    static func user(named name: String) -> (user: UInt32, group: UInt32)? {
        guard let entry = unsafe getpwnam(name) else { return nil }
        return unsafe (entry.pointee.pw_uid, entry.pointee.pw_gid)
    }

    /// The number of a group; nil when there is no such group. It may read files and ask servers.
    static func group(named name: String) -> UInt32? {
        guard let entry = unsafe getgrnam(name) else { return nil }
        return unsafe entry.pointee.gr_gid
    }

    /// Takes on the groups of a user, and `group` besides.
    static func takeGroups(ofUser name: String, and group: UInt32) throws(SystemError) {
        try check("initgroups", retrying { unsafe Int(initgroups(name, group)) })
    }

    /// Changes the group for good.
    static func changeGroup(to group: UInt32) throws(SystemError) {
        try check("setgid", retrying { Int(setgid(group)) })
    }

    /// Changes the user for good. With `keepsCapabilities`, the capabilities stay permitted.
    static func changeUser(to user: UInt32, keepsCapabilities: Bool) throws(SystemError) {
        try check("prctl", retrying { Int(holdfast_keep_capabilities(keepsCapabilities ? 1 : 0)) })
        try check("setuid", retrying { Int(setuid(user)) })
    }

    /// Gives up every capability but that of binding ports below 1024, which what this process starts does not have.
    static func keepBindingOnly() throws(SystemError) {
        try check("capset", retrying { Int(holdfast_keep_binding_only()) })
    }

    /// Has a program that this process executes keep the capability of binding ports below 1024, if there is one to keep.
    static func passBindingOn() throws(SystemError) {
        try check("capset", retrying { Int(holdfast_pass_binding_on()) })
    }

    /// Has programs that this process starts or executes get no capability from it.
    static func passNothingOn() throws(SystemError) {
        try check("capset", retrying { Int(holdfast_pass_nothing_on()) })
    }

    /// Changes the owner of a file; of a link, not of its target.
    static func changeOwner(of path: String, user: UInt32, group: UInt32) throws(SystemError) {
        try check("lchown", retrying { unsafe Int(lchown(path, user, group)) })
    }
}
