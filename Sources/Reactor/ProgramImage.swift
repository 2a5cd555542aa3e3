/// The program that this process runs, and the one that takes its place.
///
/// A process that executes a newer version of its program keeps its number and its children. What the new version has to
/// know stands in a piece of memory, whose descriptor an environment variable names.
package enum ProgramImage {
    /// The variable with the number of the descriptor.
    package static let variable = "HOLDFAST_INHERITED_DESCRIPTOR"

    /// The path of this program, where by now another version may be: never `/proc/self/exe`, which is always this one.
    ///
    /// - Parameter name: the first argument of this process. A name with a slash is the path, which may be a link that now
    ///   leads elsewhere; any other is looked for as a shell does.
    package static func path(startedAs name: String) -> String {
        if name.contains("/") { return name }
        let variable = Syscalls.environment.first { $0.hasPrefix("PATH=") }
        for folder in (variable?.dropFirst("PATH=".count) ?? "").split(separator: ":") {
            let path = "\(folder)/\(name)"
            if Syscalls.isExecutable(path) { return path }
        }
        let path = ChildProcess.linkedExecutable
        let mark = " (deleted)"
        return path.hasSuffix(mark) ? String(path.dropLast(mark.count)) : path
    }

    /// Executes the program at `path` in this process.
    ///
    /// - Parameters:
    ///   - arguments: the first is the program's name.
    ///   - memory: what the program finds with `inherited()`.
    ///   - kept: the descriptors that the program inherits, which `memory` names.
    /// - Returns: why it failed. Everything is as before then.
    package static func execute(
        _ path: String, _ arguments: [String], memory: borrowing Descriptor, keeping kept: [Int32]
    ) -> SystemError {
        let all = kept + [memory.number]
        var changed: [Int32] = []
        defer {
            // A descriptor that was open a moment ago is still open, and a process may always give up rights.
            do throws(SystemError) {
                for number in changed { try Syscalls.setClosedOnExec(number, true) }
                try Syscalls.passNothingOn()
            } catch {}
        }
        do throws(SystemError) {
            for number in all {
                try Syscalls.setClosedOnExec(number, false)
                changed.append(number)
            }
            try Syscalls.passBindingOn()
        } catch {
            return error
        }
        let others = Syscalls.environment.filter { !$0.hasPrefix("\(variable)=") }
        return Syscalls.execute(path, arguments, environment: others + ["\(variable)=\(memory.number)"])
    }

    /// What the program before this one in this process has left, once; nil when there was none.
    ///
    /// The variable is removed, so that no child takes it for its own. From now on no child gets the right to bind ports
    /// below 1024 either, which this process may have been passed by the program before it or by the service manager.
    /// - Throws: the kernel refused to keep that right to this process.
    package static func inherited() throws(SystemError) -> Descriptor? {
        try Syscalls.passNothingOn()
        let prefix = "\(variable)="
        guard let entry = Syscalls.environment.first(where: { $0.hasPrefix(prefix) }) else { return nil }
        Syscalls.removeVariable(variable)
        guard let number = Int32(entry.dropFirst(prefix.count)), number > 2, Syscalls.isSizeSealed(number) else {
            return nil
        }
        return take(number)
    }

    /// Takes over a descriptor that the program before this one has left open. It is closed on exec from now on.
    package static func take(_ number: Int32) -> Descriptor? {
        do throws(SystemError) {
            try Syscalls.setClosedOnExec(number, true)
        } catch {
            return nil
        }
        return Descriptor(owning: number)
    }
}

/// Bytes in a piece of memory that another process, or another program in this one, reads by its descriptor.
package enum SharedBytes {
    /// The most bytes.
    package static let most = 256 << 20

    /// Makes a piece of memory with these bytes.
    ///
    /// - Throws: memory or descriptors have run out.
    package static func make(_ bytes: [UInt8]) throws(SystemError) -> Descriptor {
        let memory = Descriptor(owning: try Syscalls.makeSharedMemory(size: max(bytes.count, 1)))
        let number = memory.number
        var written = 0
        while written < bytes.count {
            let rest = bytes.span.extracting(droppingFirst: written)
            let result = unsafe rest.withUnsafeBytes { unsafe Syscalls.writeFile(number, $0) }
            guard result > 0 else { throw SystemError(call: "write", result: result) }
            written += result
        }
        return memory
    }

    /// All bytes of a piece of memory whose size nobody can change.
    ///
    /// - Returns: nil for any other descriptor.
    package static func read(_ memory: borrowing Descriptor) -> [UInt8]? {
        let number = memory.number
        guard Syscalls.isSizeSealed(number), let size = Syscalls.status(of: number)?.size, size <= most else {
            return nil
        }
        var bytes = [UInt8](repeating: 0, count: size)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe Syscalls.readFile(number, $0, at: 0) }
        return count == size ? bytes : nil
    }
}
