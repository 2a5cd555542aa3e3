import Settings
import Testing

@testable import holdfast

@Suite struct OperatorCommandsTests {
    private func parse(_ arguments: [String], _ environment: [String: String] = [:]) -> Invocation {
        HoldfastCommand.parse(arguments, environment: environment, version: "1.2.3")
    }

    @Test("without anything, the usual address is asked", arguments: ["status", "drain"])
    func usual(command: String) {
        let place = ListenAddress.tcp(host: "127.0.0.1", port: 5281)
        #expect(parse([command]) == (command == "status" ? .status(place) : .drain(place)))
    }

    @Test("a flag wins over the environment, and that over the file")
    func order() throws {
        let file = try TemporaryFile("admin = '127.0.0.1:1'\nno-such-setting = 7\n")
        defer { file.remove() }
        func port(_ flags: [String], _ environment: [String: String]) -> UInt16? {
            guard case .status(.tcp(_, let port), nil) = parse(["status", "--config", file.path] + flags, environment)
            else {
                return nil
            }
            return port
        }
        #expect(port([], [:]) == 1)
        #expect(port([], ["HOLDFAST_ADMIN": "127.0.0.1:2"]) == 2)
        #expect(port(["--admin", "127.0.0.1:3"], ["HOLDFAST_ADMIN": "127.0.0.1:2"]) == 3)
    }

    @Test(
        "the token's file is that of the flag, the environment or the file of settings, in this order",
        arguments: ["status", "drain"])
    func token(command: String) throws {
        let file = try TemporaryFile("admin = '127.0.0.1:1'\nadmin-token-file = '/a'\n")
        defer { file.remove() }
        func place(_ flags: [String], _ environment: [String: String]) -> String? {
            switch parse([command, "--config", file.path] + flags, environment) {
            case .status(.tcp(_, 1), let token), .drain(.tcp(_, 1), let token): token
            default: nil
            }
        }
        #expect(place([], [:]) == "/a")
        #expect(place([], ["HOLDFAST_ADMIN_TOKEN_FILE": "/b"]) == "/b")
        #expect(place(["--token-file", "/c"], ["HOLDFAST_ADMIN_TOKEN_FILE": "/b"]) == "/c")
        let address = ListenAddress.tcp(host: "127.0.0.1", port: 5281)
        let alone = parse([command, "--token-file", "/c"])
        #expect(alone == (command == "status" ? .status(address, tokenFile: "/c") : .drain(address, tokenFile: "/c")))
    }

    @Test("what cannot be asked is said in one line, with the code of its place")
    func faults() throws {
        #expect(
            parse(["status", "--admin", "x"])
                == .exit(
                    code: 64, standardOutput: "",
                    standardError: "holdfast: admin: 'x' is not ADDR:PORT, [IPV6]:PORT, unix:/PATH or off\n"))
        let off = try TemporaryFile("admin = 'off'\n")
        defer { off.remove() }
        #expect(
            parse(["drain", "--config", off.path])
                == .exit(
                    code: 78, standardOutput: "",
                    standardError: "holdfast: admin is off, so the running program cannot be asked\n"))
        guard case .exit(code: 78, standardOutput: "", _) = parse(["status", "--config", "/no/such/file"]) else {
            Issue.record("a file that is not there")
            return
        }
    }

    @Test("log: levels are one text or several words, and none ask for those in force")
    func log() throws {
        let place = ["--control", "unix:/run/c"]
        let address = try #require(ListenAddress("unix:/run/c"))
        let levels = try #require(LogLevels("info clients=debug"))
        #expect(parse(["log"] + place) == .command(.log(nil), address))
        #expect(parse(["reopen"] + place) == .command(.reopen, address))
        #expect(parse(["log", "info", "clients=debug"] + place) == .command(.log(levels), address))
        #expect(parse(["log", "info clients=debug"] + place) == .command(.log(levels), address))
        #expect(
            parse(["log", "info,clients=debug"], ["HOLDFAST_CONTROL": "unix:/run/c"]) == .command(.log(levels), address)
        )
        let wrong = HoldfastCommand.parse(["log", "inf\u{1B}o"] + place, environment: [:], version: "1")
        guard case .exit(code: 64, standardOutput: "", let line) = wrong else {
            Issue.record("a level that does not exist")
            return
        }
        #expect(line.hasPrefix("holdfast: '") && !line.contains("\u{1B}") && line.hasSuffix("; did you mean 'info'?\n"))
    }

    @Test(
        "a program that takes no commands: the line says what does the same",
        arguments: [
            ("reload", "SIGHUP does the same, and the log says what came of it"),
            ("upgrade", "SIGUSR2 does the same, and the log says what came of it"),
            ("reopen", "SIGUSR1 does the same, and the log says what came of it"),
            ("log", "set control, or set log-level and reload or restart the program"),
        ])
    func noCommands(command: String, instead: String) {
        let start = "so the running program takes no commands; \(instead)\n"
        #expect(
            parse([command])
                == .exit(code: 78, standardOutput: "", standardError: "holdfast: control is not set, \(start)"))
        #expect(
            parse([command, "--control", "off"])
                == .exit(code: 64, standardOutput: "", standardError: "holdfast: control is off, \(start)"))
    }

    @Test("only a complete answer with 200 has a body")
    func answers() {
        func body(_ text: String) -> String? {
            AdminClient.body(of: Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(body("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") == "{}")
        #expect(body("HTTP/1.1 200 OK\r\n\r\n") == "")
        #expect(body("HTTP/1.1 200 OK\r\nContent-Le") == nil)
        #expect(body("HTTP/1.1 403 Forbidden\r\n\r\nno") == nil)
        #expect(body("SSH-2.0-x\r\n\r\n") == nil)
        #expect(body("") == nil)
    }
}
