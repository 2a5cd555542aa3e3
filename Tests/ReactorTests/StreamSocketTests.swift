import Glibc
import Testing

@testable import Reactor

@Suite struct StreamSocketTests {
    @Test func `bytes go both ways and the end is told apart from silence`() throws {
        try Loopback.withConnection { client, server, peer in
            #expect(peer.isLoopback)
            var buffer = ReadBuffer()
            #expect(server.read(into: &buffer) == .wouldBlock)
            #expect(buffer.count == 0)
            #expect(client.write(Array("hello".utf8)) == .wrote(5))
            #expect(try Loopback.read(server, upTo: 5) == Array("hello".utf8))
            #expect(server.write(Array("..world".utf8), from: 2) == .wrote(5))
            try server.shutdownWrite()
            #expect(try Loopback.read(client) == Array("world".utf8))
            #expect(client.write([1]) == .wrote(1))
            #expect(try Loopback.read(server, upTo: 1) == [1])
        }
    }

    @Test func `a read brings at most the buffer's capacity`() throws {
        try Loopback.withConnection { client, server, _ in
            _ = client.write([1, 2, 3, 4, 5])
            try Loopback.wait(server.descriptor, .readable)
            var buffer = ReadBuffer(capacity: 4)
            #expect(buffer.capacity == 4)
            #expect(server.read(into: &buffer) == .bytes(4))
            #expect(Loopback.copy(buffer) == [1, 2, 3, 4])
            #expect(server.read(into: &buffer) == .bytes(1))
            #expect(Loopback.copy(buffer) == [5])
            #expect(server.read(into: &buffer) == .wouldBlock)
            #expect(Loopback.copy(buffer) == [])
        }
    }

    @Test func `what is unread is counted, without the end behind it`() throws {
        try Loopback.withConnection { client, server, _ in
            #expect(server.unreadCount == 0)
            _ = client.write([1, 2, 3])
            try Loopback.wait(server.descriptor, .readable)
            #expect(server.unreadCount == 3)
            try client.shutdownWrite()
            try Loopback.wait(server.descriptor, .peerClosed)
            #expect(server.unreadCount == 3)
            var buffer = ReadBuffer(capacity: 2)
            #expect(server.read(into: &buffer) == .bytes(2))
            #expect(server.unreadCount == 1)
            #expect(server.read(into: &buffer) == .bytes(1))
            #expect(server.unreadCount == 0)
        }
    }

    @Test func `a write of nothing and past the end writes nothing`() throws {
        try Loopback.withConnection { client, _, _ in
            #expect(client.write([]) == .wrote(0))
            #expect(client.write([1, 2], from: 2) == .wrote(0))
            #expect(client.write([1, 2], from: 3) == .wrote(0))
        }
    }

    @Test func `a peer that does not read stops the writer until it reads`() throws {
        try Loopback.withConnection { client, server, _ in
            let block = [UInt8](repeating: 0x61, count: 1 << 20)
            var sent = 0
            filling: while true {
                switch client.write(block) {
                case .wrote(let count): sent += count
                case .wouldBlock: break filling
                case .failed(let error): throw error
                }
            }
            #expect(sent > 0)
            #expect(try Loopback.read(server, upTo: sent).count == sent)
            #expect(try Loopback.wait(client.descriptor, .writable).isWritable)
        }
    }

    @Test func `writing to a connection that is gone is a failure and no signal`() throws {
        let pair = try Descriptor.socketPair()
        let socket = StreamSocket(pair.first)
        _ = consume pair.second
        #expect(socket.write([1]) == .failed(SystemError(call: "send", code: EPIPE)))
    }

    @Test func `a reset is a failure of the read`() throws {
        let listener = try Loopback.listener()
        let client = try Loopback.connect(to: listener.address)
        try Loopback.wait(listener.descriptor, .readable)
        do {
            guard case .accepted(let server, _) = listener.accept() else {
                Issue.record("nothing to accept")
                return
            }
            // Closing with unread bytes resets the connection.
            _ = client.write([1])
            try Loopback.wait(server.descriptor, .readable)
        }
        #expect(try Loopback.wait(client.descriptor, .readable).isHangup)
        var buffer = ReadBuffer()
        #expect(client.read(into: &buffer) == .failed(SystemError(call: "recv", code: ECONNRESET)))
        #expect(buffer.count == 0)
    }

    @Test func `a refused connection says so`() throws {
        let holder = try Loopback.refusing()
        switch StreamSocket.connect(to: try Syscalls.boundAddress(holder.number)) {
        case .connecting(let socket):
            #expect(try Loopback.wait(socket.descriptor, .writable).isHangup)
            #expect(socket.finishConnect()?.isConnectionRefused == true)
        case .failed(let error): #expect(error.isConnectionRefused)
        case .connected: Issue.record("nobody listens there")
        }
    }

    @Test func `TCP options reach the kernel`() throws {
        try Loopback.withConnection { client, _, _ in
            try client.setNoDelay()
            try client.noticeVanishedPeer(number: 0)
            #expect(try SocketOption.noDelay.value(of: client.descriptor) == 1)
            #expect(try SocketOption.keepAlive.value(of: client.descriptor) == 1)
            #expect(try SocketOption.keepAliveIdle.value(of: client.descriptor) == 60)
            #expect(try SocketOption.keepAliveInterval.value(of: client.descriptor) == 8)
            #expect(try SocketOption.keepAliveCount.value(of: client.descriptor) == 6)
        }
    }

    @Test func `connections with different numbers are probed at different times, at the latest after a minute`() throws
    {
        try Loopback.withConnection { client, _, _ in
            var silences: Set<Int32> = []
            for number: UInt32 in [0, 1, 19, 20, 39, .max] {
                try client.noticeVanishedPeer(number: number)
                silences.insert(try SocketOption.keepAliveIdle.value(of: client.descriptor))
            }
            // 0 and 20 are alike, and so are 19 and 39.
            #expect(silences == [60, 59, 41, 45])
        }
    }

    @Test func `what the peer has not acknowledged is known`() throws {
        try Loopback.withConnection { client, _, _ in
            try client.keepUnsentFew()
            #expect(try SocketOption.notSentLowWater.value(of: client.descriptor) == 131_072)
            #expect(client.unacknowledgedCount == 0)
            // Writes until the kernel takes no more. The peer reads nothing, so the bytes beyond its window stay here.
            let bytes = [UInt8](repeating: 0x20, count: 1 << 20)
            var written = 0
            while case .wrote(let count) = client.write(bytes) { written += count }
            let count = client.unacknowledgedCount ?? -1
            #expect(count > 0 && count < written)
        }
    }

    @Test func `TCP options on another kind of socket are errors`() throws {
        let pair = try Descriptor.socketPair()
        let socket = StreamSocket(pair.first)
        #expect(throws: SystemError.self) { try socket.setNoDelay() }
    }

    @Test func `a released descriptor keeps the connection`() throws {
        let pair = try Descriptor.socketPair()
        let other = StreamSocket(pair.second)
        let descriptor = StreamSocket(pair.first).releaseDescriptor()
        let again = StreamSocket(descriptor)
        #expect(again.write([9]) == .wrote(1))
        #expect(try Loopback.read(other, upTo: 1) == [9])
    }
}
