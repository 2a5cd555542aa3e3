import Glibc
import Testing

@testable import Reactor

@Suite struct DescriptorReserveTests {
    @Test func `a waiting connection is turned away and the next is served`() throws {
        let listener = try Loopback.listener()
        var reserve = try DescriptorReserve()
        #expect(reserve.turnAway(listener) == false)
        #expect(reserve.refill() == true)
        #expect(reserve.refill() == true)
        let refused = try Loopback.connect(to: listener.address)
        try Loopback.wait(listener.descriptor, .readable)
        #expect(reserve.turnAway(listener) == true)
        #expect(try Loopback.read(refused) == [])
        #expect(reserve.refill() == true)
        let served = try Loopback.connect(to: listener.address)
        try Loopback.wait(listener.descriptor, .readable)
        guard case .accepted(let socket, _) = listener.accept() else {
            Issue.record("nothing to accept")
            return
        }
        #expect(socket.write([7]) == .wrote(1))
        #expect(try Loopback.read(served, upTo: 1) == [7])
    }

    @Test func `one is given up for each connection that must be served, and the last one stays`() throws {
        var reserve = try DescriptorReserve(connections: 2)
        #expect(reserve.isFull == true)
        #expect(reserve.release() == true)
        #expect(reserve.isFull == false)
        #expect(reserve.release() == true)
        #expect(reserve.release() == false)
        #expect(reserve.refill() == true)
        #expect(reserve.isFull == true)
        #expect(reserve.release() == true)
        var least = try DescriptorReserve()
        #expect(least.release() == false)
        #expect(least.refill() == true)
    }
}
