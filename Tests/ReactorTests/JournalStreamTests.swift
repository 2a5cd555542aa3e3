import Glibc
import Testing

@testable import Reactor

/// Only what the kernel says of a stream proves that the journal reads it.
@Suite struct JournalStreamTests {
    /// What a service manager would write for a descriptor.
    private static func variable(of descriptor: Int32) throws -> String {
        var status = stat()
        try #require(fstat(descriptor, &status) == 0)
        return "\(status.st_dev):\(status.st_ino)"
    }

    @Test func `a socket is known by its device and number, and another one is not`() throws {
        let pair = try Descriptor.socketPair()
        let variable = try Self.variable(of: pair.first.number)
        #expect(JournalStream.names(variable, pair.first.number))
        #expect(!JournalStream.names(variable, pair.second.number))
    }

    @Test func `a pipe is known as well`() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let reader = Descriptor(owning: ends[0])
        let writer = Descriptor(owning: ends[1])
        #expect(JournalStream.names(try Self.variable(of: writer.number), writer.number))
        #expect(!JournalStream.names("0:\(reader.number)", writer.number))
    }

    @Test func `a variable that is no pair of numbers, or of a closed descriptor, names nothing`() throws {
        let pair = try Descriptor.socketPair()
        let variable = try Self.variable(of: pair.first.number)
        for text in ["", ":", "1", variable + ":", ":" + variable, variable + " ", "-" + variable, "a:b"] {
            #expect(!JournalStream.names(text, pair.first.number), "\(text)")
        }
        #expect(!JournalStream.names(variable, -1))
        #expect(!JournalStream.isStandardError(nil))
        #expect(!JournalStream.isStandardError(variable))
    }

    @Test func `standard error is known by its own`() throws {
        #expect(JournalStream.isStandardError(try Self.variable(of: 2)))
    }
}
