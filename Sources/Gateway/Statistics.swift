import BOSHCore
import Bridge
import Primitives
import Reactor
import Settings
import StreamCore
import WebSocketCore

/// The content of `/stats`. Names are stable; new ones may be added.
enum Statistics {
    /// All samples of all workers together, and a few of each.
    static func ofAll(_ worker: Worker) -> [Sample] {
        let own = samples(of: worker)
        guard let page = worker.loop.fellows.ownPage else { return own }
        var list = SampleList()
        for sample in own where sample.kind == .information { list.add(sample.path, sample.kind, sample.value) }
        // What has no room in a page is left out, because it would be the number of this worker alone.
        for sample in worker.loop.fellows.added(to: page.shown(of: own)) {
            list.add(sample.path, sample.kind, sample.value)
        }
        return list.samples
    }

    /// All samples of a worker, in no systematic order.
    static func samples(of worker: Worker) -> [Sample] {
        var list = SampleList()
        list.add("schema", state: 1)
        list.add("version", information: Version.text)
        list.add(
            "uptime_seconds",
            state: Int(clamping: worker.loop.now.elapsed(since: worker.loop.startedAt).components.seconds))
        list.add("process", "pid", state: Int(worker.mainProcess))
        list.add("process", "own_pid", state: Int(CurrentProcess.processID))
        list.add("process", "stopping", state: worker.endsWithProgram ? 1 : 0)
        list.add("process", "own_generation", state: Int(clamping: worker.supervision?.plan.generation ?? 0))
        list.add("process", "own_retired", state: worker.loop.fellows.isRetired ? 1 : 0)
        addProcess(of: worker, to: &list)
        if let supervision = worker.supervision { list.add("supervisor", "refusal", information: supervision.refusal) }
        addSessions(of: worker, to: &list)
        addHTTP(of: worker, to: &list)
        addWebSockets(of: worker, to: &list)
        addPolling(of: worker, to: &list)
        addUpstream(of: worker, to: &list)
        addLatencies(of: worker, to: &list)
        for (name, count) in worker.loop.counters.bounds.byName { list.add("limits", name, counter: count) }
        addCapacity(of: worker, to: &list)
        add(worker.loop.memory, to: &list)
        // Last what the settings can make long, because the last samples are left out when the page is full.
        for site in worker.upstreams.sites.all { add(site, to: &list) }
        for server in worker.upstreams.servers.all { add(server, worker.upstreams.standing(of: server), to: &list) }
        return list.samples
    }

    private static func addProcess(of worker: Worker, to list: inout SampleList) {
        list.add("process", "descriptors", gauge: worker.loop.descriptorsInUse)
        list.add("process", "descriptor_limit", gauge: worker.loop.descriptorLimit)
        list.add(["process", "cpu_seconds"], .counter, .real(ProcessUsage.processorTime / .seconds(1)))
        list.add("process", "resident_bytes", gauge: ProcessUsage.residentBytes)
        list.add("process", "start_time_seconds", state: Int(worker.loop.startedOn))
    }

    private static func addLatencies(of worker: Worker, to list: inout SampleList) {
        let latencies = worker.loop.latencies
        list.add("latency", "turn", latency: latencies.turn)
        list.add("latency", "forward", latency: latencies.forward)
        list.add("latency", "fetch", latency: latencies.fetch)
        list.add("latency", "hold", latency: latencies.hold)
        list.add("latency", "login", latency: latencies.login)
    }

    private static func addSessions(of worker: Worker, to list: inout SampleList) {
        let counters = worker.loop.counters
        let drivers = worker.sessions.all
        worker.loop.addresses.forgetRested(now: worker.loop.now)
        list.add("sessions", "now", gauge: worker.sides.count)
        list.add("sessions", "ever", counter: counters.sessionsEver)
        list.add(
            "sessions", "opening",
            gauge: drivers.count { $0.session.phase == .opening } + worker.webSockets.openingCount
                + worker.polling.openingCount)
        list.add("sessions", "not_logged_in", gauge: worker.sides.loginCount)
        list.add("sessions", "addresses", gauge: worker.loop.addresses.count)
        list.add("sessions", "held_requests", gauge: drivers.reduce(0) { $0 + $1.session.heldCount })
        list.add("sessions", "ended", tally: counters.sessionEnds)
        list.add("sessions", "refused", tally: counters.sessionsRefused)
        list.add("sessions", "refused_without_descriptor", counter: counters.refusedWithoutDescriptor)
        list.add("sessions", "login_failures", tally: counters.loginFailures)
        list.add("sessions", "aborted_polls", counter: counters.abortedPolls)
        list.add("sessions", "repeats", counter: counters.repeats)
        list.add("sessions", "unknown_sid", counter: counters.unknownSessions)
        list.add("sessions", "other_node", counter: counters.otherNodeSessions)
        list.add("sessions", "spare_response_bytes", gauge: worker.sessions.spareResponseBytes)
        list.add("sessions", "responses_evicted", counter: counters.responsesEvicted)
    }

    private static func addHTTP(of worker: Worker, to list: inout SampleList) {
        let counters = worker.loop.counters
        list.add("http", "connections_now", gauge: worker.clients.count)
        list.add("http", "connections_ever", counter: counters.connectionsEver)
        list.add("http", "connections_turned_away", counter: counters.connectionsTurnedAway)
        list.add("http", "connections_without_descriptor", counter: counters.connectionsWithoutDescriptor)
        list.add("http", "connections_untrusted", counter: counters.connectionsUntrusted)
        list.add("http", "requests", counter: counters.requests)
        list.add("http", "requests_refused", counter: counters.requestsRefused)
        list.add("http", "operators_refused", counter: counters.operatorsRefused)
        list.add("http", "unknown_path", counter: counters.unknownPaths)
        list.add("http", "answers_untaken", counter: counters.answersUntaken)
        list.add("http", "bytes_in", counter: counters.bytesFromClients)
        list.add("http", "bytes_out", counter: counters.bytesToClients)
        list.add("http", "moved_in", counter: counters.handoversTaken)
        list.add("http", "moved_out", counter: counters.handoversSent)
        list.add("http", "moves_refused", counter: counters.handoversRefused)
        list.add("access_log", "written", counter: worker.loop.accessLog?.written ?? 0)
        list.add("access_log", "dropped", counter: worker.loop.accessLog?.dropped ?? 0)
    }

    private static func addWebSockets(of worker: Worker, to list: inout SampleList) {
        let counters = worker.loop.counters.webSockets
        list.add("websockets", "now", gauge: worker.webSockets.count)
        list.add("websockets", "ever", counter: counters.opened)
        list.add("websockets", "refused", tally: counters.refused)
        for code in SocketEnd.allCases {
            list.add("websockets", "closed", "\(code.rawValue)", counter: counters.closed[code])
        }
        list.add("websockets", "closed_by_client", counter: counters.closedByClient)
        list.add("websockets", "pings", counter: counters.pings)
        list.add("websockets", "pongs", counter: counters.pongs)
        list.add("websockets", "in_pieces", counter: counters.inPieces)
        list.add("websockets", "restarts", counter: counters.restarts)
        list.add("websockets", "dropped_for_resumption", counter: counters.dropped)
    }

    private static func addPolling(of worker: Worker, to list: inout SampleList) {
        let counters = worker.loop.counters.polling
        list.add("polling", "now", gauge: worker.polling.count)
        list.add("polling", "ever", counter: counters.opened)
        list.add("polling", "requests", counter: counters.requests)
        list.add("polling", "repeats", counter: counters.repeats)
        list.add("polling", "errors", tally: counters.errors)
        list.add("polling", "restarts", counter: counters.restarts)
        list.add("polling", "dropped_for_resumption", counter: counters.dropped)
    }

    private static func addUpstream(of worker: Worker, to list: inout SampleList) {
        let counters = worker.loop.counters
        list.add("upstream", "streams_now", gauge: worker.upstreams.count)
        list.add("upstream", "connects", counter: counters.upstreamConnects)
        list.add("upstream", "failures", tally: counters.upstreamFailures)
        list.add("upstream", "addresses_failed", counter: counters.addressesFailed)
        list.add("upstream", "lookups_failed", counter: counters.lookupsFailed)
        list.add("upstream", "bytes_in", counter: counters.bytesFromUpstream)
        list.add("upstream", "bytes_out", counter: counters.bytesToUpstream)
        list.add("upstream", "stanzas_in", counter: counters.stanzasToClients)
        list.add("upstream", "stanzas_out", counter: counters.stanzasToUpstream)
        list.add("upstream", "stanzas_returned", counter: counters.stanzasReturned)
        list.add("upstream", "breakers_open", gauge: worker.upstreams.openBreakerCount)
    }

    /// Adds how far each limit for all clients together is used up. A limit that is not set is left out.
    private static func addCapacity(of worker: Worker, to list: inout SampleList) {
        let loop = worker.loop
        func add(_ name: String, _ used: Int, of limit: Int) {
            list.add("capacity", name, "used", gauge: used)
            list.add("capacity", name, "limit", gauge: limit)
        }
        if loop.settings.maxSessions > 0 {
            add("max-sessions", worker.sides.count, of: loop.share(loop.settings.maxSessions))
        }
        add("descriptors", loop.descriptorsInUse, of: loop.sessionDescriptors)
        add("memory-limit", loop.memory.total, of: loop.memory.limit)
        add("login-sessions", worker.sides.loginCount, of: loop.loginLimit)
        let fullest = worker.upstreams.fullestServer
        add("upstream-connections", fullest.count, of: fullest.limit)
        if let ports = worker.upstreams.localPorts { add("local-ports", fullest.count, of: ports) }
    }

    /// Adds the samples of one site: a domain, or `*` for all domains that an open proxy reaches.
    private static func add(_ site: UpstreamSite, to list: inout SampleList) {
        let health = site.health
        list.add("sites", site.name, "streams_now", gauge: health.openNow)
        list.add("sites", site.name, "streams_opened", counter: health.opened)
        list.add("sites", site.name, "connects", counter: health.connects)
        list.add("sites", site.name, "handshakes_resumed", counter: health.resumedHandshakes)
        list.add("sites", site.name, "failures", tally: health.failures)
        list.add("sites", site.name, "connect_time", latency: health.connectTime)
        list.add("sites", site.name, "handshake_time", latency: health.handshakeTime)
        list.add("sites", site.name, "open_time", latency: health.openTime)
    }

    /// Adds the samples of one server that the settings name, or of all others.
    private static func add(_ server: ServerRecords.Record, _ standing: ServerStanding, to list: inout SampleList) {
        let health = server.health
        list.add("servers", server.name, "streams_now", gauge: health.openNow)
        list.add("servers", server.name, "streams_opened", counter: health.opened)
        list.add("servers", server.name, "connects", counter: health.connects)
        if !server.keys.isEmpty {
            list.add("servers", server.name, "breaker", state: standing.breaker)
            // Rounded up, so that a server that is left alone never shows 0.
            let seconds = standing.pause == .zero ? 0 : standing.pause.components.seconds + 1
            list.add("servers", server.name, "left_alone_seconds", state: Int(clamping: seconds))
        }
        list.add("servers", server.name, "failures", tally: health.failures)
        list.add("servers", server.name, "connect_time", latency: health.connectTime)
    }

    /// Adds how many bytes peers take in the worker, without the memory of OpenSSL and the kernel for them.
    private static func add(_ account: ByteAccount, to list: inout SampleList) {
        list.add("memory", "limit", gauge: account.limit)
        list.add("memory", "held", gauge: account.total)
        for kind in ByteAccount.Kind.allCases { list.add("memory", "\(kind)", gauge: account.held(kind)) }
        // 0, or 1 above the first mark and 2 above the second.
        list.add("memory", "pressure", state: account.pressure.rawValue)
    }
}
