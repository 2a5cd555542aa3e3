/// A process of this machine that this one need not have started.
package struct OtherProcess: Sendable {
    /// The process number.
    package let processID: Int32

    /// - Parameter processID: the number of a process that may have ended.
    package init(_ processID: Int32) {
        self.processID = processID
    }

    /// The name of the program that it runs, at most 15 bytes; nil when there is no such process, or when it has ended
    /// and nobody has collected it.
    package var programName: String? {
        guard processID > 0, let text = TextFile.text(of: "/proc/\(processID)/stat") else { return nil }
        return Self.programName(in: text)
    }

    /// The name in a text such as `41 (holdfast) S 1 …` (proc(5)); the name itself may have spaces and parentheses.
    static func programName(in text: String) -> String? {
        guard let start = text.firstIndex(of: "("), let end = text.lastIndex(of: ")"), start < end else { return nil }
        let state = text[text.index(after: end)...].first { $0 != " " }
        guard let state, !"ZX".contains(state) else { return nil }
        return String(text[text.index(after: start)..<end])
    }

    /// The number of its parent; nil when there is no such process.
    package var parentID: Int32? {
        guard processID > 0, let text = TextFile.text(of: "/proc/\(processID)/stat") else { return nil }
        return Self.parentID(in: text)
    }

    /// The parent in such a text: the second field behind the name.
    static func parentID(in text: String) -> Int32? {
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ", maxSplits: 2)
        return fields.count < 2 ? nil : Int32(fields[1])
    }

    /// Sends a signal.
    ///
    /// - Throws: there is no such process (`ESRCH`), or this user may not (`EPERM`).
    package func send(_ signal: Signal) throws(SystemError) {
        // 0 and negative numbers mean groups of processes.
        guard processID > 0 else { throw SystemError(call: "kill", code: 3) }
        let result = Syscalls.kill(processID, signal)
        guard result >= 0 else { throw SystemError(call: "kill", result: result) }
    }
}
