import Glibc
import Testing

@testable import Reactor

@Suite struct OtherProcessTests {
    @Test func `the name of a program is found whatever it contains`() {
        #expect(OtherProcess.programName(in: "41 (holdfast) S 1 41 41 0 -1") == "holdfast")
        #expect(OtherProcess.programName(in: "41 (a) R (b) R 1 41") == "a) R (b")
        #expect(OtherProcess.programName(in: "41 () S") == "")
    }

    @Test func `a process that has ended has no name`() {
        #expect(OtherProcess.programName(in: "41 (holdfast) Z 1") == nil)
        #expect(OtherProcess.programName(in: "41 (holdfast) X 1") == nil)
        #expect(OtherProcess.programName(in: "41 (holdfast)") == nil)
        #expect(OtherProcess.programName(in: ")(") == nil)
        #expect(OtherProcess.programName(in: "") == nil)
    }

    @Test func `the parent is found whatever the name contains`() {
        #expect(OtherProcess.parentID(in: "41 (holdfast) S 1 41 41 0 -1") == 1)
        #expect(OtherProcess.parentID(in: "41 (a) R (b) Z 7 41") == 7)
        #expect(OtherProcess.parentID(in: "41 (holdfast) S") == nil)
        #expect(OtherProcess.parentID(in: ")(") == nil)
        #expect(OtherProcess.parentID(in: "") == nil)
    }

    @Test func `this process has a parent`() {
        #expect(OtherProcess(getpid()).parentID == getppid())
        #expect(OtherProcess(-1).parentID == nil)
    }

    @Test func `this process has a name, and no process has no number`() {
        #expect(OtherProcess(getpid()).programName?.isEmpty == false)
        for number: Int32 in [0, -1, .min, .max] {
            let process = OtherProcess(number)
            #expect(process.programName == nil)
            #expect(throws: SystemError(call: "kill", code: ESRCH)) { try process.send(.child) }
        }
    }
}
