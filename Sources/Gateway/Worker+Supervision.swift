import BOSHCore
import Handover
import LogLines
import ProcessLinks
import Reactor
import Settings

/// A worker among others: it does what its supervisor says.
extension Worker {
    /// The name of this machine in each `sid`.
    package static func node(_ settings: Settings) -> String {
        (settings.node ?? NodeName(ofHost: ThisMachine.hostName)).text
    }

    /// The process to which signals for the whole program go: the supervisor, or this one if there is none.
    var mainProcess: Int32 {
        guard let supervision, supervision.link?.isOpen ?? false else { return CurrentProcess.processID }
        return supervision.supervisorID
    }

    /// The link to the supervisor; nil for a worker on its own.
    var supervisor: SupervisorLink? { supervision?.link }

    /// Does what the supervisor says.
    func follow(_ news: SupervisorLink.News) {
        switch news.message {
        case .mailbox(let tag):
            guard let descriptor = news.descriptor?.take() else {
                loop.logs.process.error(
                    "the link to another worker was lost: no descriptor is free", metadata: ["worker": .number(tag)])
                return
            }
            mailboxes.add(tag, descriptor)
        case .receipts(let tag):
            addReceipts(news.descriptor, of: tag)
        case .page(let tag, let isOwn):
            addPage(news.descriptor, of: tag, isOwn: isOwn)
        case .resolver(let place, let tag):
            if news.descriptor == nil {
                loop.logs.process.error(
                    "the connection to a process that looks up names was lost: no descriptor is free")
            }
            upstreams.useResolver(news.descriptor, at: Int(place), tag: tag)
        case .control:
            if let descriptor = news.descriptor?.take() { supervision?.orphanage.use(descriptor) }
        case .serve:
            supervision?.serves = true
            serve()
        case .retire(let numbers):
            retire(leaving: numbers)
        case .rules(let rules):
            if let supervision { clients.read(by: rules, own: supervision.plan.rules) }
        case .refusal(let lines):
            supervision?.refusal = lines
        case .accessLog:
            if let descriptor = news.descriptor?.take() {
                loop.accessLog?.use(AppendedFile(descriptor))
            } else {
                loop.logs.process.error("the file of the access log was lost: no descriptor is free")
            }
        case .logLevels(let text):
            if let levels = LogLevels(text) {
                loop.logs.set(levels)
            } else {
                // A newer supervisor may know parts that this worker does not have.
                loop.logs.process.warning("the levels of the log are unknown", metadata: ["levels": "\(text)"])
            }
        case .retired(let tag):
            loop.fellows.retire(tag)
        case .drain:
            shutDown()
        case .gone, .begin, .listener, .started:
            // The end of a worker shows at its mailbox, behind all that it has said.
            break
        }
    }

    /// Does what the supervisor says, and waits for another one when it has ended.
    func hear(_ event: PollEvent) {
        guard let supervisor, let supervision else { return }
        for news in supervisor.handle(event) { follow(news) }
        guard !supervisor.isOpen else { return }
        guard supervision.serves else {
            // It has no session, and may know no other worker. Another supervisor would take it for the only one.
            loop.logs.process.error("the supervisor has ended before this worker served")
            CurrentProcess.exit(1)
        }
        supervision.orphanage.open()
    }

    private func serve() {
        mailboxes.open()
        do throws(SystemError) {
            try doors.open()
        } catch {
            // Without listeners this worker has its sessions, and no other client finds it.
            loop.logs.process.error("watching a listener failed", metadata: ["error": "\(error)"])
        }
    }

    // MARK: Another supervisor

    /// Tells a new supervisor what this worker has, and does from then on what it says.
    func join(_ socket: FrameSocket, _ processID: Int32) {
        guard let supervision else { return }
        let orphanage = supervision.orphanage
        let record = WorkerRecord(
            plan: supervision.plan, processID: UInt32(clamping: CurrentProcess.processID),
            isRetired: loop.fellows.isRetired,
            fellows: loop.fellows.known)
        orphanage.tell(
            socket, record, page: loop.fellows.ownPage, past: loop.fellows.pastPage,
            listeners: doors.listeners.map { ($0.place, $0.written, $0) })
        do throws(SystemError) {
            supervision.link = try SupervisorLink(loop, socket)
            supervision.supervisorID = processID
            upstreams.beginResolverSupply()
            loop.logs.process.notice("another supervisor has taken over this worker")
        } catch {
            loop.logs.process.error("watching the link to the supervisor failed", metadata: ["error": "\(error)"])
            orphanage.open()
        }
    }

    private func addReceipts(_ descriptor: PassedDescriptor?, of tag: UInt32) {
        guard let descriptor = descriptor?.take() else {
            loop.logs.process.error(
                "the page of receipts of another worker was lost: no descriptor is free",
                metadata: ["worker": .number(tag)])
            return
        }
        do throws(SharedPage.AdoptionError) {
            mailboxes.add(try ReceiptPage(descriptor, of: loop.fellows.tag, with: tag), of: tag)
        } catch {
            loop.logs.process.error(
                "the page of receipts of another worker cannot be used",
                metadata: ["worker": .number(tag), "error": "\(error)"])
        }
    }

    /// Ends the look-ups that wait for a process of a supervisor that has ended. Runs before the last writes of each turn,
    /// because the clients are told.
    func endUnsuppliedLookups() {
        guard let supervisor, !supervisor.isOpen else { return }
        upstreams.endResolverSupply()
    }

    /// Tells the supervisor what has become of the processes that look up names. Runs at the end of each turn.
    func reportResolvers() {
        guard let supervisor, supervisor.isOpen else { return }
        for report in upstreams.takeResolverReports() {
            switch report {
            case .needed: supervisor.tell(.needsResolvers)
            case .lost(let tag): supervisor.tell(.lostResolver(tag: tag))
            }
        }
    }

    private func addPage(_ descriptor: PassedDescriptor?, of tag: UInt32, isOwn: Bool) {
        guard let descriptor = descriptor?.take() else {
            loop.logs.process.error(
                "the counter page of a worker was lost: no descriptor is free", metadata: ["worker": .number(tag)])
            return
        }
        do throws(SharedPage.AdoptionError) {
            loop.fellows.add(try WorkerPage(descriptor, isOwn: isOwn), of: tag)
        } catch {
            loop.logs.process.error(
                "the counter page of a worker cannot be used", metadata: ["worker": .number(tag), "error": "\(error)"])
        }
    }
}
