/// A reverse proxy in front of the worker: the requests of many clients go over few kept connections, any request over
/// any free connection.
final class ProxyPool {
    fileprivate let agent: HTTPAgent
    fileprivate let kernel: Kernel
    /// How long it waits for an answer.
    fileprivate let patience: Duration
    fileprivate let passesAborts: Bool
    /// How often it repeats a request whose connection was lost before an answer came (`retry-on empty-response`).
    fileprivate let retries: Int

    init(_ plan: Plan, world: World) {
        kernel = world.kernel
        passesAborts = plan["aborts"] > 0
        retries = plan["retries"]
        patience = .seconds(max(plan["patience"], 10))
        agent = HTTPAgent(
            world.kernel, address: World.proxyAddress, link: LinkKind(), seed: UInt64(plan["seed"]))
        agent.unasked = { [judge = world.judge] in judge.fail("a proxy's request was answered twice") }
    }
}

/// A client's way through a proxy. The proxy names the client in `X-Forwarded-For`.
final class ProxiedAgent: Carrier {
    private final class Exchange {
        var ticket: Int?
        var retriesLeft: Int
        /// Nil when the client has been answered or has given up.
        var answered: ((HTTPAnswer?) -> Void)?
        /// Whether its connection broke before the proxy had the request.
        var isLost = false
        init(retries: Int, _ answered: @escaping (HTTPAnswer?) -> Void) {
            retriesLeft = retries
            self.answered = answered
        }

        func end(_ answer: HTTPAnswer?) {
            let tell = answered
            answered = nil
            tell?(answer)
        }
    }

    private let pool: ProxyPool
    private let address: UInt32
    private let delay: ClosedRange<Duration>
    /// Where the requests go; nil for the endpoint of BOSH.
    var path: String?
    private var chance: Chance
    private var exchanges: [Exchange] = []
    let isSlow = false
    var passesAborts: Bool { pool.passesAborts }
    var repeats: Bool { pool.retries > 0 }

    init(_ pool: ProxyPool, address: UInt32, delay: ClosedRange<Duration>, seed: UInt64) {
        self.pool = pool
        self.address = address
        self.delay = delay
        chance = Chance(seed: seed)
    }

    func post(_ body: [UInt8], as manner: PostManner, answered: @escaping (HTTPAnswer?) -> Void) {
        let exchange = Exchange(retries: pool.retries, answered)
        exchanges.append(exchange)
        // A proxy passes on complete requests only, so it ignores how its client's connection ends before that.
        if case .cut(let thousandths, _) = manner, thousandths < 1_000 {
            pool.kernel.after(chance.time(delay)) { [weak self] in self?.end(exchange, nil) }
            return
        }
        pool.kernel.after(chance.time(delay)) { [self] in
            guard !exchange.isLost else { return }
            send(body, for: exchange)
            pool.kernel.after(pool.patience) { [weak self] in
                guard let self, let ticket = exchange.ticket else { return }
                exchange.ticket = nil
                pool.agent.giveUp(ticket)
                end(exchange, HTTPAnswer(status: 504, body: []))
            }
        }
    }

    private func send(_ body: [UInt8], for exchange: Exchange) {
        exchange.ticket = pool.agent.send(body, fields: forwarded, to: path) { [weak self] answer in
            exchange.ticket = nil
            guard let self else { return }
            // Most proxies do not repeat a POST, because the first may have arrived. Some are configured to.
            if answer == nil, exchange.retriesLeft > 0, exchange.answered != nil {
                exchange.retriesLeft -= 1
                send(body, for: exchange)
                return
            }
            pool.kernel.after(chance.time(delay)) { [weak self] in
                self?.end(exchange, answer ?? HTTPAnswer(status: 502, body: []))
            }
        }
    }

    func abort(isReset: Bool) {
        guard let exchange = exchanges.last else { return }
        giveUp(exchange)
        end(exchange, nil)
    }

    func abortAll() {
        for exchange in exchanges {
            giveUp(exchange)
            end(exchange, nil)
        }
    }

    func abandonAll() {
        let left = exchanges
        exchanges = []
        for exchange in left {
            exchange.answered = nil
            // After the request, which may not have reached the proxy yet.
            pool.kernel.after(delay.upperBound + .seconds(1)) { [self] in giveUp(exchange) }
        }
    }

    func closeAll() { abandonAll() }

    func vanish() { abandonAll() }

    private func giveUp(_ exchange: Exchange) {
        if exchange.ticket == nil { exchange.isLost = true }
        guard pool.passesAborts, let ticket = exchange.ticket else { return }
        exchange.ticket = nil
        pool.agent.giveUp(ticket)
    }

    private func end(_ exchange: Exchange, _ answer: HTTPAnswer?) {
        exchanges.removeAll { $0 === exchange }
        exchange.end(answer)
    }

    private var forwarded: String {
        let octets = [24, 16, 8, 0].map { String((address >> $0) & 0xFF) }.joined(separator: ".")
        return "X-Forwarded-For: \(octets)\r\n"
    }
}
