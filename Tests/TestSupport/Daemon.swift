import CLinux
import Glibc

/// A `holdfast` process that listens on ports of 127.0.0.1 which the kernel chose.
package final class Daemon {
    /// How a process ended.
    package enum Exit: Equatable {
        case code(Int32)
        case signal(Int32)
    }

    /// What a service manager has said of standard error.
    package enum Journal {
        /// That the journal reads what it is connected to.
        case itsOwn
        /// That the journal reads something else.
        case another
    }

    /// The line of its log that says where it serves, from the event on: time and level come before.
    package let startLine: String
    /// The port for BOSH; 0 when it listens on no port.
    package let port: UInt16
    /// The port for BOSH after a PROXY header; 0 when there is none.
    package let proxyPort: UInt16
    /// The port of the admin endpoints; 0 when there is none.
    package let adminPort: UInt16
    private let process: Process
    /// Its process number, for questions to the kernel.
    package var processID: pid_t { process.processID }
    /// The connection for `settle`.
    private var settling: ByteStream?

    /// The path of the program that was built beside the tests.
    package static var builtExecutable: String { Process.executable }

    /// Starts the program that was built beside the tests, for the domain `example.org`.
    ///
    /// - Parameters:
    ///   - upstream: the port of a scripted server, or 0 with `--upstream` among the flags.
    ///   - flags: further flags; a given flag replaces the one set here.
    ///   - environment: variables in addition to those of this process.
    package convenience init(upstream: UInt16, _ flags: String..., environment: [String: String] = [:]) throws {
        let flags = flags.contains("--upstream") ? flags : flags + ["--upstream", "127.0.0.1:\(upstream)"]
        try self.init(flags, environment: environment)
    }

    /// Starts it with flags, `--upstream` among them; adds everything else that it needs.
    ///
    /// - Parameters:
    ///   - descriptors: how many it may have; nil for as many as this process.
    ///   - environment: variables in addition to those of this process.
    ///   - executable: the program; nil for the one that was built beside the tests.
    ///   - journal: what `JOURNAL_STREAM` says; nil for nothing.
    package init(
        _ flags: [String], descriptors: Int? = nil, environment: [String: String] = [:], executable: String? = nil,
        journal: Journal? = nil
    ) throws {
        var arguments = ["run"]
        let usual = [
            ("--listen", "127.0.0.1:0"), ("--admin", "127.0.0.1:0"), ("--domain", "example.org"),
            ("--upstream-tls", "none"), ("--log-level", "debug"),
        ]
        for (flag, value) in usual where !flags.contains(flag) { arguments += [flag, value] }
        // One process alone shows its numbers at once. By default the breaker must not open on a server that fails on purpose again and again. The sessions of most
        // tests never log in, and some repeat as fast as they can. On a busy machine the time between two steps of a
        // test is long.
        let environment = [
            "HOLDFAST_UPSTREAM_BREAKER_FAILURES": "0", "HOLDFAST_LOGIN_BODY": "8388608",
            "HOLDFAST_SESSION_REPEATS": "1000000", "HOLDFAST_LOGIN_TIMEOUT": "600",
            "HOLDFAST_UPSTREAM_CONNECT_TIMEOUT": "120", "HOLDFAST_UPSTREAM_STANZA_TIMEOUT": "600",
            "HOLDFAST_UPSTREAM_WRITE_TIMEOUT": "600", "HOLDFAST_HEAD_TIMEOUT": "300",
            "HOLDFAST_BODY_TIMEOUT": "600", "HOLDFAST_SEND_TIMEOUT": "600", "HOLDFAST_INACTIVITY": "600",
            "HOLDFAST_WEBSOCKET_PING": "600", "HOLDFAST_WORKERS": "none",
        ].merging(environment) { _, given in given }
        process = try Process(
            arguments + flags, descriptors: descriptors, environment: environment, executable: executable,
            journal: journal)
        let line = try process.readStartLine()
        startLine = line
        let places = line.firstRange(of: "BOSH o").map { line[$0.lowerBound...] } ?? ""
        let parts = places.split(separator: ";")
        let served = parts.first.map { Self.ports(in: $0) } ?? []
        port = served.first ?? 0
        proxyPort = served.dropFirst().first ?? 0
        adminPort = parts.dropFirst().first.flatMap { Self.ports(in: $0).first } ?? 0
    }

    /// The port of each `http://ADDRESS:PORT/PATH` in a text.
    private static func ports(in text: Substring) -> [UInt16] {
        text.split(whereSeparator: { ", ".contains($0) }).filter { $0.hasPrefix("http://") }.compactMap { url in
            url.split(separator: "/").dropFirst().first?.split(separator: ":").last.flatMap { UInt16($0) }
        }
    }

    /// Runs the program with arguments with which it ends by itself.
    package static func run(
        _ arguments: [String], environment: [String: String] = [:]
    ) throws -> (exit: Exit, output: String, errors: String) {
        let process = try Process(arguments, environment: environment)
        let output = try process.readOutput()
        return (try process.waitUntilEnded(), output, try process.errors)
    }

    /// A new HTTP connection to the BOSH listener.
    package func connect() throws -> RawClient {
        RawClient(try ByteStream(port: port), of: self)
    }

    /// A new HTTP connection to a Unix socket that it listens on.
    package func connect(path: String) throws -> RawClient {
        RawClient(try ByteStream(path: path), of: self)
    }

    /// A new connection to the listener whose connections begin with a PROXY header.
    package func connectBehindProxy() throws -> RawClient {
        RawClient(try ByteStream(port: proxyPort), of: self)
    }

    /// A new HTTP connection to the admin listener.
    package func connectToAdmin() throws -> RawClient {
        RawClient(try ByteStream(port: adminPort), of: self)
    }

    /// Sends a signal such as `SIGTERM`.
    package func send(_ signal: Int32) {
        process.send(signal)
    }

    /// Waits until the process has ended.
    package func waitUntilEnded() throws -> Exit {
        try process.waitUntilEnded()
    }

    /// Whether the process is still running.
    package var isRunning: Bool { process.isRunning }

    /// Everything on standard error so far.
    package var errors: String {
        get throws { try process.errors }
    }

    /// The process numbers of its children that are still running.
    package func children() throws -> [Int32] { process.children }

    /// The number of its open descriptors.
    package func descriptorCount() throws -> Int {
        try Files.count(in: "/proc/\(process.processID)/fd")
    }

    /// Its resident memory, in KiB.
    package func residentKilobytes() throws -> Int {
        try memory("VmRSS:")
    }

    /// The peak of its resident memory, in KiB.
    package func peakKilobytes() throws -> Int {
        try memory("VmHWM:")
    }

    private func memory(_ name: String) throws -> Int {
        let status = try Files.read("/proc/\(process.processID)/status")
        let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
        guard let number = line?.split(whereSeparator: { " \t".contains($0) }).dropFirst().first.flatMap({ Int($0) })
        else { throw TestFault("no memory in \(status)") }
        return number
    }

    /// Returns when the daemon has handled everything that was sent to it before, and everything that it has sent meanwhile
    /// has arrived. It has one loop. This function waits for two turns, because a turn takes a bounded number of events. A
    /// large body takes more turns; a test waits for what it is to see of that.
    package func settle() throws {
        let wire = try settling ?? ByteStream(port: adminPort)
        settling = wire
        try Deliveries.finish()
        for _ in 0..<2 {
            guard try RawClient(wire, of: self).get("/healthz").status == 200 else {
                throw TestFault("/healthz does not answer 200")
            }
        }
        try Deliveries.finish()
    }

    /// Waits until a number in `/stats`, such as `sessions.now`, has a value.
    package func wait(until path: String, is value: Int) throws {
        try connectToAdmin().wait(until: path, is: value)
    }

    /// Waits until a number in `/stats` is at least `least`.
    package func wait(until path: String, isAtLeast least: Int) throws {
        let admin = try connectToAdmin()
        try Patience.wait("\(path) is \(least) or more") { try admin.statistics().number(path) >= least }
    }

    /// The content of `/stats`.
    package func statistics() throws -> Statistics {
        try connectToAdmin().statistics()
    }
}

/// A child process with its standard output in a pipe and its standard error in a file.
private final class Process {
    let processID: pid_t
    private let output: Int32
    private let errorFile: ErrorFile
    private var exit: Daemon.Exit?

    init(
        _ arguments: [String], descriptors: Int? = nil, environment: [String: String] = [:], executable: String? = nil,
        journal: Daemon.Journal? = nil
    ) throws {
        var ends: [Int32] = [-1, -1]
        try Sockets.check("pipe", makePipe(&ends))
        output = ends[0]
        errorFile = try ErrorFile()
        var command = [executable ?? Self.executable] + arguments
        if let descriptors {
            command = ["/bin/sh", "-c", "ulimit -n \(descriptors); exec \"$0\" \"$@\""] + command
        }
        var environment = environment
        if let journal {
            environment["JOURNAL_STREAM"] = try errorFile.journal(isItsOwn: journal == .itsOwn)
        }
        processID = try Self.spawn(command, environment: environment, output: ends[1], errors: errorFile.descriptor)
        _ = close(ends[1])
    }

    deinit {
        if isRunning {
            kill(processID, SIGKILL)
            var status: Int32 = 0
            waitpid(processID, &status, 0)
        }
        // Workers go on without their supervisor, which the test may have ended long ago.
        do {
            try errorFile.endWriters()
        } catch {
            preconditionFailure("\(error)")
        }
        _ = close(output)
    }

    /// The program that `swift test` builds beside the test bundle.
    static var executable: String {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        return bundle.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            + "/holdfast"
    }

    private static func spawn(
        _ command: [String], environment: [String: String], output: Int32, errors: Int32
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        let path = command[0]
        var vector: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
        vector.append(nil)
        defer { vector.forEach { free($0) } }
        var variables: [UnsafeMutablePointer<CChar>?] = Self.variables(environment).map { strdup($0) }
        variables.append(nil)
        defer { variables.forEach { free($0) } }
        var processID: pid_t = 0
        let code = Sockets.making.withLock { _ in
            posix_spawn(&processID, path, &actions, nil, &vector, &variables)
        }
        guard code == 0 else { throw TestFault("\(path): \(String(cString: strerror(code)))") }
        return processID
    }

    /// The environment of this process, in which `additions` replace variables of the same name.
    private static func variables(_ additions: [String: String]) -> [String] {
        var result = additions.map { "\($0.key)=\($0.value)" }
        var next = holdfast_environment()
        while let variable = next?.pointee {
            let text = String(cString: variable)
            if !additions.keys.contains(where: { text.hasPrefix($0 + "=") }) { result.append(text) }
            next = next?.successor()
        }
        return result
    }

    /// The line on standard error that says where the program serves, without what stands before the event.
    func readStartLine() throws -> String {
        try Patience.value("the program says where it serves", pause: 1) {
            let isEnded = !isRunning
            // A line is written in one piece, but a file may be read in the middle of it.
            let lines = try errors.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            for line in lines {
                if let event = line.firstRange(of: "holdfast serves") { return String(line[event.lowerBound...]) }
            }
            if isEnded { throw TestFault("did not start: \(try errors)") }
            return nil
        }
    }

    /// Everything on standard output.
    func readOutput() throws -> String {
        var text: [UInt8] = []
        while let bytes = try readSome() { text += bytes }
        return text.text
    }

    private func readSome() throws -> [UInt8]? {
        var item = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
        guard poll(&item, 1, Patience.milliseconds) > 0 else { throw TestFault("the program writes nothing") }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = read(output, &bytes, bytes.count)
        return count > 0 ? Array(bytes[..<count]) : nil
    }

    var errors: String {
        get throws { try errorFile.text }
    }

    func send(_ signal: Int32) {
        if isRunning { kill(processID, signal) }
    }

    /// The process numbers of its children that are still running.
    var children: [Int32] {
        let list = try? Files.read("/proc/\(processID)/task/\(processID)/children")
        return (list ?? "").split(separator: " ").compactMap { Int32($0) }
    }

    var isRunning: Bool {
        guard exit == nil else { return false }
        var status: Int32 = 0
        guard waitpid(processID, &status, WNOHANG) == processID else { return true }
        exit =
            holdfast_exited(status) != 0
            ? .code(holdfast_exit_code(status)) : .signal(holdfast_ending_signal(status))
        return false
    }

    func waitUntilEnded() throws -> Daemon.Exit {
        try Patience.wait("the program ends: \((try? errors.suffix(2_000)) ?? "")") { !isRunning }
        guard let exit else { throw TestFault("nobody knows how the program ended") }
        return exit
    }
}

private func makePipe(_ ends: inout [Int32]) -> Int32 {
    let result = pipe(&ends)
    for end in ends where result == 0 { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return result
}
