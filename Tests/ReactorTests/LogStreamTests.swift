import Glibc
import Testing

@testable import Reactor

/// A log that nobody reads never blocks its writer.
@Suite struct LogStreamTests {
    /// A stream, and the end at which its lines arrive.
    private final class Scene {
        let log: LogStream
        private let reader: Descriptor
        private let writer: Descriptor

        init(_ reader: Int32, _ writer: Int32) throws {
            self.reader = Descriptor(owning: reader)
            self.writer = Descriptor(owning: writer)
            log = try LogStream(number: writer)
        }

        static func pipe() throws -> Scene {
            var ends: [Int32] = [-1, -1]
            try #require(Glibc.pipe(&ends) == 0)
            return try Scene(ends[0], ends[1])
        }

        /// A socket pair as service managers make it: the writer's end blocks.
        static func socket() throws -> Scene {
            let pair = try Descriptor.socketPair()
            try pair.second.setBlocking(true)
            return try Scene(
                fcntl(pair.first.number, F_DUPFD_CLOEXEC, 0), fcntl(pair.second.number, F_DUPFD_CLOEXEC, 0))
        }

        func write(_ line: String) {
            log.writeLine(Array(line.utf8)) { Array("\($0) were dropped".utf8) }
        }

        /// All lines since the last call.
        func read() throws -> [Substring] {
            try reader.setBlocking(false)
            var text: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = buffer.withUnsafeMutableBytes { Syscalls.readFile(reader.number, $0) }
                guard count > 0 else { break }
                text += buffer[..<count]
            }
            return String(decoding: text, as: UTF8.self).split(separator: "\n")
        }
    }

    @Test(arguments: [true, false])
    func `lines that find no room are dropped and counted`(isPipe: Bool) throws {
        let scene = try isPipe ? Scene.pipe() : .socket()
        let line = String(repeating: "x", count: 999)
        // More lines than any buffer holds: a blocking write would wait for ever.
        for number in 0..<5_000 { scene.write("\(number) \(line)") }
        let first = try scene.read()
        #expect(first.count > 10)
        #expect(first.count < 5_000)
        for (number, text) in first.enumerated() { #expect(text.hasPrefix("\(number) x")) }
        scene.write("it goes on")
        scene.write("and on")
        let then = try scene.read()
        let notice = "\(5_000 - first.count) were dropped"
        #expect(then.map(String.init) == [notice, "it goes on", "and on"])
    }

    @Test func `a long line is cut at the end of a character`() throws {
        let scene = try Scene.pipe()
        scene.write(String(repeating: "é", count: 4_000))
        let lines = try scene.read()
        #expect(lines.count == 1)
        #expect(lines.first?.hasSuffix("é...") == true)
        #expect((lines.first?.utf8.count ?? 0) <= LogStream.longestLine)
    }

    @Test func `a line, its notice and their ends fit into what a pipe takes in one piece`() {
        #expect(LogStream.longestLine + LogStream.longestNotice + 2 <= 4_096)
    }

    @Test func `a stream that was closed takes nothing and stops nobody`() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let log = try LogStream(number: ends[1])
        SignalSource.ignoreWriteSignals()
        close(ends[0])
        log.writeLine(Array("nobody reads this".utf8)) { _ in [] }
        close(ends[1])
    }
}
