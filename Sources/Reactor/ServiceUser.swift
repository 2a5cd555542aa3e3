/// The user and the group that a service runs as once it has done what only root may do.
package struct ServiceUser: Sendable, Equatable {
    /// Why there is no such user, or the process could not become it.
    package enum Failure: Error, Equatable {
        case unknownUser(String)
        case unknownGroup(String)
        /// The process is not root, or the kernel refused for another reason.
        case refused(SystemError)
    }

    /// The user's name.
    package let name: String
    private let user: UInt32
    private let group: UInt32

    /// Looks up a user, and a group if it is to be another one than the user's own.
    ///
    /// - Throws: `Failure.unknownUser` or `.unknownGroup`.
    package init(name: String, group groupName: String?) throws(Failure) {
        guard let found = Syscalls.user(named: name) else { throw .unknownUser(name) }
        self.name = name
        user = found.user
        if let groupName {
            guard let group = Syscalls.group(named: groupName) else { throw .unknownGroup(groupName) }
            self.group = group
        } else {
            group = found.group
        }
    }

    /// Makes this process run as the user for good. Does nothing when it does already.
    ///
    /// - Parameter keepsBinding: whether this process may still bind ports below 1024. What it starts may not.
    /// - Throws: `Failure.refused`.
    package func become(keepsBinding: Bool) throws(Failure) {
        guard Syscalls.currentUser != (user, group) else { return }
        do throws(SystemError) {
            try Syscalls.takeGroups(ofUser: name, and: group)
            try Syscalls.changeGroup(to: group)
            try Syscalls.changeUser(to: user, keepsCapabilities: keepsBinding)
            if keepsBinding { try Syscalls.keepBindingOnly() }
        } catch {
            throw .refused(error)
        }
    }

    /// Gives the file of a Unix socket to the user. Does nothing for other addresses, and when the process is not root:
    /// then the file is its own.
    ///
    /// - Throws: `Failure.refused`.
    package func own(_ address: SocketAddress) throws(Failure) {
        guard case .unix(let path) = address, Syscalls.isPrivileged else { return }
        do throws(SystemError) {
            try Syscalls.changeOwner(of: path, user: user, group: group)
        } catch {
            throw .refused(error)
        }
    }
}

extension ServiceUser.Failure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknownUser(let name): "there is no user '\(name)'"
        case .unknownGroup(let name): "there is no group '\(name)'"
        case .refused(let error): "\(error)"
        }
    }
}
