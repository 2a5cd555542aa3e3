import CLinux
import CSimulatedCalls
import Glibc

/// One of the two kernels on which a script is played, through the calls that the product makes.
final class ScriptMachine {
    let isModel: Bool
    private(set) var descriptors = [Int32](repeating: -1, count: KernelScript.slots)
    /// The port to which a slot's socket was bound, kept after it is closed.
    private var ports = [UInt16](repeating: 0, count: KernelScript.slots)
    private let epoll: Int32

    struct Result: CustomStringConvertible {
        /// The call's result, or an errno below zero.
        var value = 0
        var bytes: [UInt8] = []
        var events: [Event] = []

        struct Event: Comparable, CustomStringConvertible {
            var token: UInt64
            var bits: UInt32
            static func < (one: Event, other: Event) -> Bool { one.token < other.token }
            var description: String { "\(token >> 8):\(names(of: bits))" }
        }

        var description: String {
            let value = value < 0 ? "\(String(cString: strerror(Int32(-value))))" : "\(value)"
            return events.isEmpty ? value : "\(value) \(events)"
        }
    }

    init(isModel: Bool) {
        self.isModel = isModel
        if isModel { simulation_switch(1) }
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        simulation_switch(0)
    }

    func closeAll() {
        for descriptor in descriptors where descriptor >= 0 { _ = Glibc.close(descriptor) }
        _ = Glibc.close(epoll)
    }

    /// Plays a step. It offers no more than `limit` bytes to send, and takes no more than `limit` bytes to read.
    func play(_ step: Plan, number: Int, limit: Int = .max) -> Result {
        let slot = step["slot"]
        let descriptor = descriptors[slot]
        var result = Result()
        switch step.kind {
        case "socket":
            open(slot) { Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0) }
        case "null": open(slot) { holdfast_open("/dev/null", O_RDONLY) }
        case "signals":
            var mask = ScriptMachine.signalMask
            open(slot) { signalfd(-1, &mask, Int32(SFD_NONBLOCK)) }
        case "raise":
            if isModel { Kernel.current?.raise(SIGUSR1) } else { kill(getpid(), SIGUSR1) }
        case "read":
            var information = signalfd_siginfo()
            result.value = check(Glibc.read(descriptor, &information, MemoryLayout<signalfd_siginfo>.size))
            if result.value > 0 { result.value = Int(information.ssi_signo) }
        case "bind":
            var one: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
            let wanted = step["to"] > 0 ? ports[step["to"] - 1] : 0
            result.value = withAddress(wanted) { check(Int(Glibc.bind(descriptor, $0, $1))) }
            if result.value == 0 { ports[slot] = port(of: descriptor) }
        case "listen":
            result.value = check(Int(Glibc.listen(descriptor, Int32(step["backlog"]))))
            if result.value == 0 { ports[slot] = port(of: descriptor) }
        case "connect":
            result.value = withAddress(ports[step["to"]]) { check(Int(Glibc.connect(descriptor, $0, $1))) }
        case "accept":
            let accepted = check(Int(accept4(descriptor, nil, nil, Int32(SOCK_NONBLOCK.rawValue))))
            result.value = min(accepted, 0)
            if accepted >= 0 { descriptors[step["into"]] = Int32(accepted) }
        case "send":
            let bytes = (0..<min(step["size"], limit)).map { UInt8(truncatingIfNeeded: $0 ^ ($0 >> 8) &+ number) }
            result.value = check(Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)))
        case "recv":
            result.bytes = [UInt8](repeating: 0, count: min(step["size"], limit))
            result.value = check(Glibc.recv(descriptor, &result.bytes, result.bytes.count, 0))
            result.bytes.removeLast(result.bytes.count - max(result.value, 0))
        case "shutdown": result.value = check(Int(Glibc.shutdown(descriptor, Int32(SHUT_WR))))
        case "reset", "close":
            if step.kind == "reset" {
                var setting = linger(l_onoff: 1, l_linger: 0)
                setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &setting, socklen_t(MemoryLayout<linger>.size))
            }
            result.value = check(Int(Glibc.close(descriptor)))
            descriptors[slot] = -1
        case "sndbuf": result.value = setOption(descriptor, SOL_SOCKET, SO_SNDBUF, step["size"])
        case "rcvbuf": result.value = setOption(descriptor, SOL_SOCKET, SO_RCVBUF, step["size"])
        case "nodelay": result.value = setOption(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        case "lowat": result.value = setOption(descriptor, Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT, 65_536)
        case "keepalive": result.value = setOption(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
        case "error":
            var value: Int32 = 0
            var length = socklen_t(4)
            let code = check(Int(getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &value, &length)))
            result.value = code < 0 ? code : Int(value)
        case "unread": result.value = Int(holdfast_unread(descriptor))
        case "unacked": result.value = Int(holdfast_unacknowledged(descriptor))
        case "add": result.value = control(EPOLL_CTL_ADD, step, number)
        case "mod": result.value = control(EPOLL_CTL_MOD, step, number)
        case "del": result.value = control(EPOLL_CTL_DEL, step, number)
        case "wait":
            var list = [epoll_event](repeating: epoll_event(), count: isModel ? 64 : max(step["count"], 1))
            result.value = check(Int(epoll_wait(epoll, &list, Int32(list.count), 0)))
            result.events = list.prefix(max(result.value, 0)).map { Result.Event(token: $0.data.u64, bits: $0.events) }
            result.events.sort()
        default: fatalError("there is no step \(step.kind)")
        }
        return result
    }

    /// The number of unread bytes of a slot's socket.
    func unread(_ slot: Int) -> Int { max(Int(holdfast_unread(descriptors[slot])), 0) }

    /// What epoll would report for a slot of the real kernel with every interest.
    func readiness(_ slot: Int) -> UInt32 {
        var question = pollfd(fd: descriptors[slot], events: Int16(POLLIN | POLLOUT | 0x2000), revents: 0)
        _ = poll(&question, 1, 0)
        return UInt32(UInt16(bitPattern: question.revents))
    }

    static let signalMask: sigset_t = {
        var mask = sigset_t()
        sigemptyset(&mask)
        sigaddset(&mask, SIGUSR1)
        return mask
    }()

    private func open(_ slot: Int, _ call: () -> Int32) {
        if isModel { simulation_switch(1) }
        descriptors[slot] = call()
        simulation_switch(0)
    }

    private func control(_ operation: Int32, _ step: Plan, _ number: Int) -> Int {
        let interests: [UInt32] = [0x2000, 1, 4, 5, 0x2001, 0x2004]
        var event = epoll_event()
        event.events = interests[step["interest"]]
        event.data.u64 = UInt64(step["slot"] << 8 | number & 0xFF)
        return check(Int(epoll_ctl(epoll, operation, descriptors[step["slot"]], &event)))
    }

    private func setOption(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int) -> Int {
        var value = Int32(value)
        return check(Int(setsockopt(descriptor, level, name, &value, 4)))
    }

    private func withAddress(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int) -> Int {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    private func port(of descriptor: Int32) -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &length) }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    private func check(_ value: Int) -> Int { value < 0 ? -Int(errno) : value }
}

/// The names of a readiness's bits.
func names(of bits: UInt32) -> String {
    let all: [(UInt32, String)] = [(1, "IN"), (4, "OUT"), (0x2000, "RDHUP"), (0x10, "HUP"), (8, "ERR")]
    return all.filter { bits & $0.0 != 0 }.map(\.1).joined(separator: "|")
}
