import Glibc
import Testing

@testable import Reactor

@Suite struct WatchTests {
    /// A poller, a connected pair of sockets, and the kernel's view of the first one.
    private final class Scene {
        var poller: Poller
        var socket: StreamSocket
        let other: StreamSocket

        init() throws {
            poller = try Poller()
            let pair = try Descriptor.socketPair()
            socket = StreamSocket(pair.first)
            other = StreamSocket(pair.second)
        }

        func watch(_ interest: Interest) throws {
            try socket.watch(for: interest, as: 7, in: poller)
        }
    }

    // The arguments of the expectation macro have to be copyable.
    private func reads(_ scene: Scene) -> Bool { scene.socket.isReading }
    private func event(_ scene: Scene) throws -> PollEvent? {
        try scene.poller.wait(timeout: .zero) == 0 ? nil : scene.poller[0]
    }
    private func send(_ scene: Scene) -> WriteResult { scene.other.write([1]) }

    @Test func `the kernel watches for what was set last`() throws {
        let scene = try Scene()
        #expect(reads(scene) == false)
        try scene.watch(.readable)
        #expect(reads(scene) == true)
        #expect(try event(scene) == nil)
        try scene.watch([.readable, .writable])
        let room = try event(scene)
        #expect(room?.isWritable == true)
        #expect(room?.token == 7)
        try scene.watch([])
        #expect(reads(scene) == false)
        #expect(send(scene) == .wrote(1))
        #expect(try event(scene) == nil)
    }

    @Test func `the end of the peer's side is reported only to whom it is of use`() throws {
        let scene = try Scene()
        try scene.watch([])
        try scene.other.shutdownWrite()
        #expect(try event(scene) == nil)
        try scene.watch(.peerClosed)
        #expect(try event(scene)?.isPeerClosed == true)
    }

    @Test func `a broken connection is looked away from until it is to be read`() throws {
        let scene = try Scene()
        try scene.watch([])
        #expect(send(scene) == .wrote(1))
        try scene.socket.shutdownWrite()
        try scene.other.shutdownWrite()
        #expect(try event(scene)?.isHangup == true)
        scene.socket.lookAway(in: scene.poller)
        #expect(try event(scene) == nil)
        // Waiting for room to write would cause reports for ever.
        try scene.watch(.writable)
        #expect(try event(scene) == nil)
        try scene.watch(.readable)
        #expect(reads(scene) == true)
        #expect(try event(scene)?.isReadable == true)
    }

    @Test func `a watch that ended can begin again under another token`() throws {
        let scene = try Scene()
        try scene.watch(.writable)
        scene.socket.unwatch(in: scene.poller)
        #expect(try event(scene) == nil)
        try scene.socket.watch(for: .writable, as: 9, in: scene.poller)
        #expect(try event(scene)?.token == 9)
        scene.socket.unwatch(in: scene.poller)
        scene.socket.unwatch(in: scene.poller)
        #expect(try event(scene) == nil)
    }

    @Test func `what the kernel refuses is thrown and not remembered`() throws {
        let scene = try Scene()
        // The kernel already has the socket, but the watch does not know that.
        try scene.poller.register(scene.socket.descriptor, token: 1, interest: [])
        #expect(throws: SystemError(call: "epoll_ctl", code: EEXIST)) { try scene.watch(.readable) }
        #expect(reads(scene) == false)
        try scene.poller.deregister(scene.socket.descriptor)
        try scene.watch(.readable)
        #expect(reads(scene) == true)
        // The kernel drops the socket without the watch's knowledge: the wanted interest cannot be set.
        try scene.poller.deregister(scene.socket.descriptor)
        #expect(throws: SystemError(call: "epoll_ctl", code: ENOENT)) { try scene.watch(.writable) }
        #expect(reads(scene) == true)
    }
}
