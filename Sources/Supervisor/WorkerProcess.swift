import Handover
import ProcessLinks
import Reactor

/// A page of shared memory: a worker's counters, which outlive it, or the receipts of two workers.
final class KeptPage: DescriptorOwner {
    let page: SharedPage
    var number: Int32 { page.descriptor.number }

    /// - Parameter count: how many words it has.
    init(count: Int = PageWord.count) throws(SystemError) {
        page = try SharedPage(count: count)
    }

    /// Takes over a page that an earlier supervisor has made.
    ///
    /// - Throws: it is no page, or cannot be mapped.
    init(adopting descriptor: consuming Descriptor, isWritable: Bool) throws(SharedPage.AdoptionError) {
        page = try SharedPage(adopting: descriptor, isWritable: isWritable)
    }
}

/// One worker: its process, the connection to it, and its counter page.
final class WorkerProcess: LinkedProcess {
    let tag: UInt32
    /// What it was told before it served.
    let plan: WorkerPlan
    let page: KeptPage
    /// The workers that it was made known to.
    var fellows: Set<UInt32> = []
    /// Why it could not start, in its own words.
    var complaint: String?
    /// Whether it has said that it takes no new sessions.
    var isRetired = false
    /// Whether it has said that it ends because it has nothing more to do.
    var hasDrained = false

    /// Starts the process `holdfast worker`.
    ///
    /// - Throws: descriptors, memory or processes have run out.
    init(plan: WorkerPlan) throws(SystemError) {
        tag = plan.tag
        self.plan = plan
        page = try KeptPage()
        try super.init(arguments: ["holdfast", "worker"])
    }

    /// Takes over a worker that an earlier supervisor has started.
    init(_ record: WorkerRecord, page: KeptPage, _ socket: FrameSocket, isAdopted: Bool) {
        tag = record.plan.tag
        plan = record.plan
        self.page = page
        fellows = Set(record.fellows)
        isRetired = record.isRetired
        super.init(
            ChildProcess(inheriting: Int32(clamping: record.processID)), socket, isAdopted: isAdopted)
    }
}
