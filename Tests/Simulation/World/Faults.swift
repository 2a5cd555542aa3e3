/// Calls that fail for want of resources, each a number of times.
struct CallFaults {
    /// The pending failures, by the call's name and errno.
    private var pending: [(call: Call, code: Int32, times: Int)] = []

    enum Call: String {
        case accept, socket, connect, epollControl = "epoll_ctl", send, receive = "recv", open, duplicate = "fcntl"
    }

    mutating func add(_ call: Call, _ code: Int32, times: Int) {
        pending.append((call, code, times))
    }

    /// The errno with which a call fails now.
    mutating func take(_ call: Call) -> Int32? {
        guard !pending.isEmpty, let index = pending.firstIndex(where: { $0.call == call }) else { return nil }
        let code = pending[index].code
        pending[index].times -= 1
        if pending[index].times == 0 { pending.remove(at: index) }
        return code
    }
}

/// The properties of a connection.
struct LinkKind {
    var delay: ClosedRange<Duration> = .microseconds(50)...(.milliseconds(5))
    var buffer = 65_536
    /// How much the worker's kernel takes before the other end's has it.
    var workerBuffer = 65_536
    /// The size of pieces that arrive one by one; 0 for whole pieces.
    var piece = 0
}

extension CallFaults.Call {
    init?(number: Int) {
        let all: [CallFaults.Call] = [.accept, .socket, .connect, .epollControl, .send, .receive, .open, .duplicate]
        guard all.indices.contains(number) else { return nil }
        self = all[number]
    }

    /// Whether a failure may cost connections or sessions. A shortage of memory passes and costs nothing.
    func disturbs(_ code: Int32) -> Bool {
        switch self {
        case .accept, .open, .duplicate: false
        case .send, .receive: code != 12 && code != 105
        case .socket, .connect, .epollControl: true
        }
    }
}
