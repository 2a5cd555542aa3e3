import Glibc
import Testing

@testable import Reactor

/// Lines that several processes append to one file.
@Suite struct AppendedFileTests {
    private let path = "/tmp/holdfast-appended-\(UInt64.random(in: 0 ... .max))"

    private func content() throws -> String {
        let descriptor = Descriptor(owning: try Syscalls.openForReading(path))
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = bytes.withUnsafeMutableBytes { Syscalls.readFile(descriptor.number, $0) }
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }

    @Test func `two writers append behind each other, and nobody else may read`() throws {
        defer { unlink(path) }
        let first = AppendedFile(try AppendedFile.open(path))
        let second = AppendedFile(try AppendedFile.open(path))
        for number in 0..<3 {
            #expect(first.append(Array("first \(number)\n".utf8)))
            #expect(second.append(Array("second \(number)\n".utf8)))
        }
        #expect(try content() == "first 0\nsecond 0\nfirst 1\nsecond 1\nfirst 2\nsecond 2\n")
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o137 == 0)
        #expect(first.append([]))
    }

    @Test func `after a rename the old file is written until another one is opened`() throws {
        let old = path + ".1"
        defer {
            unlink(path)
            unlink(old)
        }
        let file = AppendedFile(try AppendedFile.open(path))
        #expect(rename(path, old) == 0)
        #expect(file.append(Array("old\n".utf8)))
        let new = AppendedFile(try AppendedFile.open(path))
        #expect(new.append(Array("new\n".utf8)))
        #expect(try content() == "new\n")
    }

    @Test func `what finds no room is told, and the next line begins at the beginning of a line`() throws {
        // A pipe that holds one page takes a part of what is longer.
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let reader = Descriptor(owning: ends[0])
        let writer = Descriptor(owning: ends[1])
        try writer.setBlocking(false)
        // F_SETPIPE_SZ, which the module does not have.
        try #require(fcntl(ends[1], 1_031, 4_096) == 4_096)
        let file = AppendedFile(writer)
        #expect(!file.append([UInt8](repeating: UInt8(ascii: "x"), count: 5_000) + [10]))
        #expect(!file.append(Array("no room\n".utf8)))
        var bytes = [UInt8](repeating: 0, count: 8_192)
        #expect(bytes.withUnsafeMutableBytes { Syscalls.readFile(reader.number, $0) } == 4_096)
        #expect(file.append(Array("next\n".utf8)))
        #expect(file.append(Array("and next\n".utf8)))
        let count = bytes.withUnsafeMutableBytes { Syscalls.readFile(reader.number, $0) }
        #expect(String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self) == "\nnext\nand next\n")
    }

    @Test func `a path where nothing can be opened is an error`() {
        #expect(throws: SystemError.self) { _ = try AppendedFile.open("/no/such/folder/access.log") }
        #expect(throws: SystemError.self) { _ = try AppendedFile.open("/tmp") }
    }
}
