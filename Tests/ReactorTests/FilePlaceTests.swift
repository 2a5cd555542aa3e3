import Testing

@testable import Reactor

@Suite struct FilePlaceTests {
    @Test(arguments: [
        ("/", true, true), ("/tmp", true, true), ("/proc/self/exe", false, true), ("/proc/self/cwd", true, true),
        ("/nowhere/at/all", false, false), ("/proc/self/exe/x", false, false), ("", false, false),
    ])
    func `What is there, and whether it is a folder`(path: String, isFolder: Bool, exists: Bool) {
        #expect(FilePlace.isFolder(path) == isFolder)
        #expect(FilePlace.exists(path) == exists)
    }
}
