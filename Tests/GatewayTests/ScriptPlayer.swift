import CLinux
import DialogueScripts
import TestSupport

/// Plays the lines of a script against the program.
///
/// After each input a player waits until the daemon has handled everything, so it also finds an answer that the script
/// does not name.
protocol ScriptPlayer: AnyObject {
    var daemon: Daemon { get }
    var upstream: DialogueUpstream { get }
    /// Whether the daemon was told to stop.
    var isStopping: Bool { get set }
    /// Whether the script has told of the session's end.
    var hasEnded: Bool { get set }

    init(_ script: DialogueScript) throws
    /// Plays a `C` line.
    func send(_ line: DialogueLine) throws
    /// Plays an `A` line.
    func abort(_ line: DialogueLine) throws
    /// Checks an `S` line.
    func expect(_ line: DialogueLine) throws
    /// Checks that the client has got nothing that the script does not name.
    func expectSilence() throws
    /// Does what the client has to do before a daemon that stops can end.
    func sayGoodbye() throws
}

extension ScriptPlayer {
    /// Plays a whole script.
    ///
    /// - Throws: the first fault, with the number of its line.
    static func play(_ script: DialogueScript) throws {
        let player = try Self(script)
        for line in script.lines {
            do {
                try player.play(line)
            } catch {
                throw TestFault("\(script.name):\(line.number): \(error)")
            }
        }
        try player.finish()
    }

    private func play(_ line: DialogueLine) throws {
        switch line.kind {
        case "P", "B": break
        case "C": try input { try send(line) }
        case "A": try input { try abort(line) }
        case "U" where line.isUnreachable: break  // Refused since the client asked for the stream.
        case "U": try input { try upstream.act(line) }
        case "X":
            try input {
                isStopping = true
                daemon.send(SIGTERM)
            }
        case "S": try expect(line)
        case "F": try upstream.expect(line)
        case "R": try upstream.expectReturn(line)
        case "E": try expectEnd(line)
        default: throw TestFault("cannot be played")
        }
    }

    private func input(_ act: () throws -> Void) throws {
        try finish()
        try act()
        if !isStopping { try daemon.settle() }
    }

    /// Checks that nothing happened that the script does not name.
    private func finish() throws {
        guard !isStopping else { return }
        try daemon.settle()
        try upstream.expectSilence()
        try expectSilence()
    }

    private func expectEnd(_ line: DialogueLine) throws {
        let reason = line.words.first ?? ""
        hasEnded = true
        if !isStopping {
            let isForgotten = reason == "forgotten"
            return try daemon.wait(
                until: isForgotten ? "polling.now" : "sessions.ended.\(reason)", is: isForgotten ? 0 : 1)
        }
        try sayGoodbye()
        upstream.close()
        // What is to be forgotten goes with the process.
        guard try daemon.waitUntilEnded() == .code(0),
            try reason == "forgotten" || daemon.errors.contains("reason=\(reason)")
        else { throw TestFault("no end with \(reason)") }
    }

    func sayGoodbye() {}
}
