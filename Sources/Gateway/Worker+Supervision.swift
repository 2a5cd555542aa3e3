import BOSHCore
import Handover
import Reactor
import Settings

/// A worker among others: it does what its supervisor says.
extension Worker {
    /// The name of this machine in each `sid`.
    package static func node(_ settings: Settings) -> String {
        (settings.node ?? NodeName(ofHost: ThisMachine.hostName)).text
    }

    /// The process to which signals for the whole program go: the supervisor, or this one if there is none.
    var mainProcess: Int32 { supervisor?.isOpen ?? false ? CurrentProcess.parentID : CurrentProcess.processID }

    /// Does what the supervisor says.
    func follow(_ news: SupervisorLink.News) {
        switch news.message {
        case .mailbox(let tag):
            guard let descriptor = news.descriptor?.take() else {
                loop.logger.error(
                    "the link to another worker was lost: no descriptor is free", metadata: ["worker": "\(tag)"])
                return
            }
            mailboxes.add(tag, descriptor)
        case .receipts(let tag):
            addReceipts(news.descriptor, of: tag)
        case .page(let tag, let isOwn):
            addPage(news.descriptor, of: tag, isOwn: isOwn)
        case .resolver(let place, let tag):
            if news.descriptor == nil {
                loop.logger.error("the connection to a process that looks up names was lost: no descriptor is free")
            }
            upstreams.useResolver(news.descriptor, at: Int(place), tag: tag)
        case .retired(let tag):
            loop.fellows.retire(tag)
        case .drain:
            shutDown()
        case .gone, .begin, .listener, .started:
            // The end of a worker shows at its mailbox, behind all that it has said.
            break
        }
    }

    private func addReceipts(_ descriptor: PassedDescriptor?, of tag: UInt32) {
        guard let descriptor = descriptor?.take() else {
            loop.logger.error(
                "the page of receipts of another worker was lost: no descriptor is free",
                metadata: ["worker": "\(tag)"])
            return
        }
        do throws(SharedPage.AdoptionError) {
            mailboxes.add(try ReceiptPage(descriptor, of: loop.fellows.tag, with: tag), of: tag)
        } catch {
            loop.logger.error(
                "the page of receipts of another worker cannot be used",
                metadata: ["worker": "\(tag)", "error": "\(error)"])
        }
    }

    /// Tells the supervisor what has become of the processes that look up names.
    func reportResolvers() {
        guard let supervisor else { return }
        guard supervisor.isOpen else {
            upstreams.endResolverSupply()
            return
        }
        for report in upstreams.takeResolverReports() {
            switch report {
            case .needed: supervisor.tell(.needsResolvers)
            case .lost(let tag): supervisor.tell(.lostResolver(tag: tag))
            }
        }
    }

    private func addPage(_ descriptor: PassedDescriptor?, of tag: UInt32, isOwn: Bool) {
        guard let descriptor = descriptor?.take() else {
            loop.logger.error(
                "the counter page of a worker was lost: no descriptor is free", metadata: ["worker": "\(tag)"])
            return
        }
        do throws(SharedPage.AdoptionError) {
            loop.fellows.add(try WorkerPage(descriptor, isOwn: isOwn), of: tag)
        } catch {
            loop.logger.error(
                "the counter page of a worker cannot be used", metadata: ["worker": "\(tag)", "error": "\(error)"])
        }
    }
}
