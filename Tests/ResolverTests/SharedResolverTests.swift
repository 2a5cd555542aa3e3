import Reactor
import Testing

@testable import Resolver

/// A resolver process of several workers, without its process.
@Suite struct SharedResolverTests {
    /// What the process says to a worker.
    private enum Heard: Equatable {
        case word(ResolverWord)
        case reply(UInt64)
        case end
    }

    /// A worker's end of a connection.
    private final class Client {
        private let socket: StreamSocket
        private var reader = ResolverFrameReader()
        let far: PassedDescriptor

        init() throws {
            let pair = try Descriptor.socketPair()
            socket = StreamSocket(pair.first)
            far = PassedDescriptor(pair.second)
        }

        func ask(_ id: UInt64, _ host: String) {
            var bytes: [UInt8] = []
            ResolverFrames.append(ResolverQuestion(id: id, query: .addresses(host: host)), to: &bytes)
            say(bytes)
        }

        func note() {
            var bytes: [UInt8] = []
            ResolverFrames.append(.noted, to: &bytes)
            say(bytes)
        }

        func say(_ bytes: [UInt8]) { #expect(socket.write(bytes) == .wrote(bytes.count)) }

        func close() throws { try socket.shutdownWrite() }

        /// All that has come.
        func heard() throws -> [Heard] {
            var buffer = ReadBuffer()
            var heard: [Heard] = []
            while true {
                switch socket.read(into: &buffer) {
                case .wouldBlock: return heard
                case .end, .failed: return heard + [.end]
                case .bytes:
                    let bytes = buffer.withBytes { span in span.indices.map { span[$0] } }
                    try reader.receive(bytes.span) { payload in
                        if let word = ResolverFrames.word(payload) { heard.append(.word(word)) }
                        if let reply = ResolverFrames.reply(payload) { heard.append(.reply(reply.id)) }
                    }
                }
            }
        }
    }

    /// A process with its parent's end of the control socket.
    private final class Scene {
        private(set) var control: DescriptorSocket?
        private(set) var process: SharedResolver!
        /// The names that were looked up.
        var names: [String] = []
        /// What happens meanwhile.
        var meanwhile: (String) throws -> Void = { _ in }

        init() throws {
            let pair = try Descriptor.socketPair()
            control = DescriptorSocket(pair.first)
            process = try SharedResolver(pair.second) { [unowned self] query in
                guard case .addresses(let name) = query else { return .temporary("no host") }
                names.append(name)
                do { try meanwhile(name) } catch { Issue.record(error) }
                return ResolverFinding(.addresses([.ipv4(1, port: 0)]), lifetime: 1)
            }
        }

        /// A worker that the process knows.
        func client() throws -> Client {
            let client = try Client()
            guard let descriptor = client.far.take() else { throw SystemError(call: "socketpair", code: 0) }
            let result = control?.send([0], passing: [descriptor.number])
            #expect(result == .sent(1))
            #expect(turn())
            return client
        }

        @discardableResult
        func turn() -> Bool { process.turn(timeout: .zero) }

        func endParent() { control = nil }
    }

    @Test func `a worker may ask when the process knows it`() throws {
        let scene = try Scene()
        let client = try scene.client()
        #expect(try client.heard() == [.word(.free)])
        client.ask(5, "a.example")
        scene.turn()
        #expect(try client.heard() == [.reply(5)])
        #expect(scene.names == ["a.example"])
    }

    @Test func `whoever asks while another one is served is told so, and asked again`() throws {
        let scene = try Scene()
        let (first, second) = (try scene.client(), try scene.client())
        for client in [first, second] { #expect(try client.heard() == [.word(.free)]) }
        scene.meanwhile = { _ in
            // The look-up has not begun without this word.
            let heard = try second.heard()
            #expect(heard == [.word(.busy)])
        }
        first.ask(1, "a.example")
        second.ask(2, "b.example")
        scene.turn()
        #expect(try first.heard() == [.reply(1)])
        // What was asked before the note is void.
        second.ask(3, "c.example")
        scene.turn()
        scene.turn()
        #expect(try second.heard() == [])
        second.note()
        scene.turn()
        #expect(try second.heard() == [.word(.free)])
        scene.meanwhile = { _ in
            let heard = try first.heard()
            #expect(heard == [.word(.busy)])
        }
        second.ask(4, "d.example")
        scene.turn()
        #expect(try second.heard() == [.reply(4)])
        #expect(scene.names == ["a.example", "d.example"])
    }

    @Test func `the others may ask before the one that was served`() throws {
        let scene = try Scene()
        let (first, second) = (try scene.client(), try scene.client())
        scene.meanwhile = { _ in second.note() }
        first.ask(1, "a.example")
        scene.turn()
        #expect(try second.heard() == [.word(.free), .word(.busy), .word(.free)])
        #expect(try first.heard() == [.word(.free), .reply(1)])
        scene.meanwhile = { _ in }
        first.ask(2, "b.example")
        second.ask(3, "c.example")
        scene.turn()
        // The one that was served last comes last.
        #expect(scene.names == ["a.example", "c.example"])
    }

    @Test func `a worker that reads nothing is told nothing more, and delays nobody`() throws {
        let scene = try Scene()
        let (first, second) = (try scene.client(), try scene.client())
        for id in 0..<1_000 as Range<UInt64> {
            first.ask(id, "n\(id).example")
            scene.turn()
            #expect(try first.heard().last == .reply(id))
        }
        #expect(try second.heard() == [.word(.free), .word(.busy)])
    }

    @Test(arguments: [[0, 0, 0, 1, 0], [0, 0, 0, 1, 0x82], [0xFF, 0xFF, 0xFF, 0xFF]] as [[UInt8]])
    func `a worker that says nonsense loses its connection, and the others go on`(_ bytes: [UInt8]) throws {
        let scene = try Scene()
        let (first, second) = (try scene.client(), try scene.client())
        first.say(bytes)
        second.ask(1, "a.example")
        scene.turn()
        scene.turn()
        #expect(try first.heard() == [.word(.free), .end])
        #expect(try second.heard() == [.word(.free), .reply(1)])
    }

    @Test func `a worker with two questions at a time loses its connection`() throws {
        let scene = try Scene()
        let client = try scene.client()
        client.ask(1, "a.example")
        client.ask(2, "b.example")
        scene.turn()
        #expect(try client.heard() == [.word(.free), .end])
        #expect(scene.names == [])
    }

    @Test func `a worker that ends during its look-up is forgotten`() throws {
        let scene = try Scene()
        var client: Client? = try scene.client()
        scene.meanwhile = { _ in client = nil }
        client?.ask(1, "a.example")
        #expect(scene.turn())
        #expect(scene.process.connectionCount == 0)
    }

    @Test func `the process goes on without its parent until no worker is left`() throws {
        let scene = try Scene()
        let client = try scene.client()
        scene.endParent()
        #expect(scene.turn())
        client.ask(1, "a.example")
        #expect(scene.turn())
        #expect(try client.heard() == [.word(.free), .reply(1)])
        try client.close()
        #expect(!scene.turn())
    }

    @Test func `a process that never had a worker ends with its parent`() throws {
        let scene = try Scene()
        #expect(scene.turn())
        scene.endParent()
        #expect(!scene.turn())
    }
}
