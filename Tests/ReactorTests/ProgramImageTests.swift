import CLinux
import Glibc
import Testing

@testable import Reactor

/// What one program leaves to the next one in the same process.
@Suite struct ProgramImageTests {
    @Test("bytes in memory are read as they were written", arguments: [0, 1, 4_096, 100_000])
    func memory(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let memory = try SharedBytes.make(bytes)
        #expect(SharedBytes.read(memory).map { Array($0.prefix(count)) } == bytes)
        // Reading moves nothing: a probe reads first.
        #expect(SharedBytes.read(memory)?.count == max(count, 1))
    }

    @Test("what is no such memory is not read")
    func other() throws {
        let pair = try Descriptor.socketPair()
        #expect(SharedBytes.read(pair.first) == nil)
        let file = Descriptor(owning: try Syscalls.openForReading("/dev/null"))
        #expect(SharedBytes.read(file) == nil)
    }

    @Test("a program is where its name says, even if another one is there by now")
    func path() {
        #expect(ProgramImage.path(startedAs: "./holdfast") == "./holdfast")
        #expect(ProgramImage.path(startedAs: "/opt/current/holdfast") == "/opt/current/holdfast")
        #expect(ProgramImage.path(startedAs: "sh").hasSuffix("/sh"))
        #expect(ProgramImage.path(startedAs: "no-such-program-anywhere").hasPrefix("/"))
    }

    @Test("when a program cannot be executed, everything is as before")
    func failure() throws {
        let memory = try SharedBytes.make([1])
        let pair = try Descriptor.socketPair()
        let error = ProgramImage.execute(
            "/no/such/program", ["program"], memory: memory, keeping: [pair.first.number])
        #expect(error.call == "execve")
        #expect(error.code == ENOENT)
        for number in [memory.number, pair.first.number] { #expect(fcntl(number, F_GETFD) == FD_CLOEXEC) }
        let inherited = try ProgramImage.inherited()
        if inherited != nil { Issue.record("the variable is not for this process") }
    }

    @Test("a descriptor that was left open is closed on exec again, and one that was not is none")
    func taking() throws {
        let pair = try Descriptor.socketPair()
        let number = pair.first.release()
        try Syscalls.setClosedOnExec(number, false)
        let taken = ProgramImage.take(number)
        #expect(fcntl(number, F_GETFD) == FD_CLOEXEC)
        _ = consume taken
        let nothing = ProgramImage.take(-1)
        if nothing != nil { Issue.record("there is no such descriptor") }
    }
}
