import Handover
import ProcessLinks
import Reactor
import Settings

/// What an operator asks of the running program.
enum Operation {
    /// The result: a text for standard output, or a line that says why there is none.
    typealias Outcome = Result<String, AdminClient.Failure>

    /// Says how the program is that answers at this address.
    static func status(at address: ListenAddress, tokenFile: String?) -> Outcome {
        Outcome { () throws(AdminClient.Failure) in try read(address, tokenFile).text }
    }

    /// Ends the program that answers at this address, and waits for its end.
    ///
    /// The kernel decides by the user whether this is allowed; the address only tells which process it is.
    static func drain(at address: ListenAddress, tokenFile: String?) -> Outcome {
        Outcome { () throws(AdminClient.Failure) in
            let status = try read(address, tokenFile)
            guard let number = status.processID else {
                throw AdminClient.Failure(line: "what answers at \(address) does not say which process it is")
            }
            let process = OtherProcess(number)
            // The answer may come from somebody else who listens there.
            guard process.programName == "holdfast" else {
                throw AdminClient.Failure(line: "process \(number), which \(address) names, is not holdfast")
            }
            do throws(SystemError) {
                try process.send(.terminate)
                var poller = try Poller(capacity: 1)
                while process.programName == "holdfast" { _ = try poller.wait(timeout: .milliseconds(100)) }
            } catch {
                throw AdminClient.Failure(line: "process \(number) cannot be ended: \(error.reason)")
            }
            return "holdfast (process \(number)) has ended; it had \(status.sessions) sessions\n"
        }
    }

    /// Gives the program that takes commands at this address a command, and waits until it is carried out.
    static func give(_ command: RunningCommand, at address: ListenAddress) -> Outcome {
        Outcome { () throws(AdminClient.Failure) in
            let message: ControlMessage =
                switch command {
                case .reload: .reload
                case .upgrade: .upgrade
                case .reopen: .reopen
                case .log(let levels): .log(levels: levels.map(\.description) ?? "")
                }
            switch try ControlClient.ask(message, at: address) {
            case .done(let line): return "holdfast: \(line)\n"
            case .refused(let lines):
                throw AdminClient.Failure(line: lines.replacing("\n", with: "\nholdfast: "))
            case .reload, .upgrade, .takeOver, .running, .log, .reopen:
                throw AdminClient.Failure(line: "what takes commands at \(address) answers something unknown")
            }
        }
    }

    private static func read(
        _ address: ListenAddress, _ tokenFile: String?
    ) throws(AdminClient.Failure) -> StatusText {
        let token: AdminToken? = if let tokenFile { try Self.token(in: tokenFile) } else { nil }
        let answer = try AdminClient.get("/stats", at: address, token: token)
        do {
            return try StatusText(json: answer)
        } catch {
            throw AdminClient.Failure(line: "what answers at \(address) is not a running holdfast")
        }
    }

    /// The token in a file.
    private static func token(in path: String) throws(AdminClient.Failure) -> AdminToken {
        let name = SettingsError.printable(path)
        let bytes: [UInt8]?
        do throws(SystemError) {
            bytes = try FileContents.bytes(of: path, atMost: SettingFiles.mostBytes)
        } catch {
            throw AdminClient.Failure(line: "the token file '\(name)' \(FileFault.predicate(error))")
        }
        do throws(AdminToken.Fault) {
            return try AdminToken(fileContent: bytes ?? [])
        } catch {
            throw AdminClient.Failure(line: "the token file '\(name)' \(error.words)")
        }
    }
}
