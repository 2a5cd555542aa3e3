import TestSupport
import Testing

/// What a test leaves behind.
@Suite struct SceneEndTests {
    @Test("a scene ends all its workers, also those whose supervisor it has killed")
    func workers() throws {
        let processes = try play()
        #expect(Set(processes).count == 4)
        for process in processes {
            // A process that has ended has no descriptors, even before its parent has waited for it.
            #expect(!Files.exists("/proc/\(process)/fd/0"))
        }
    }

    /// Returns the numbers of all workers of a scene, which is over then.
    private func play() throws -> [Int32] {
        let scene = try RenewalScene()
        let connection = try scene.daemon.connect()
        let (first, second) = try scene.twoOwners(over: connection)
        let old = try scene.daemon.children()
        try scene.killSupervisor()
        try scene.workers.startAgain()
        try scene.daemon.wait(until: "supervisor.adopted", is: 2)
        // The sessions keep the adopted workers alive.
        for member in [first, second] { try scene.chat(member, over: connection, "one") }
        return try withExtendedLifetime(scene) {
            let processes = old + (try scene.daemon.children())
            for process in processes { #expect(Files.exists("/proc/\(process)/fd/0")) }
            return processes
        }
    }
}
