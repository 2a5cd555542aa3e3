import Handover
import Primitives
import ProcessLinks
import Reactor
import Settings

/// What a supervisor says to a new worker before the worker serves.
package final class WorkerBriefing {
    /// Why there is no briefing.
    package enum Fault: Error, Equatable {
        /// The supervisor has ended, or the link is broken.
        case ended
        /// What was said is no briefing, or a descriptor was lost on the way.
        case incomplete
    }

    /// The settings as they were written.
    package let entries: [SettingEntry]
    /// The contents of the files that the settings name.
    package var files: SettingFiles {
        var files = SettingFiles()
        for file in plan.files { files[file.path] = file.bytes }
        return files
    }
    /// The link to the supervisor.
    package let link: PassedDescriptor
    private let plan: WorkerPlan
    private var listeners: [UInt32: PassedDescriptor] = [:]
    private var news: [SupervisorLink.News] = []

    /// Waits for all that comes before the worker is to serve. What comes behind stays in the link.
    package init(over descriptor: consuming Descriptor) throws(Fault) {
        var reader = try BriefingReader(descriptor)
        guard case .begin(let plan) = try reader.next().message else { throw .incomplete }
        self.plan = plan
        entries = plan.entries.map { SettingEntry($0) }
        var isComplete = false
        while !isComplete {
            let said = try reader.next()
            switch said.message {
            case .begin: throw .incomplete
            case .started: isComplete = true
            case .listener(let number): listeners[number] = said.descriptor
            case .page, .receipts, .mailbox, .resolver, .control, .retired, .retire, .rules, .refusal, .logLevels,
                .accessLog,
                .serve, .gone, .drain:
                news.append(said)
            }
        }
        link = PassedDescriptor(try reader.release())
    }

    /// What the worker serves with. To be called once.
    ///
    /// - Throws: `Fault.incomplete`, when a listener is missing.
    package func place() throws(Fault) -> WorkerPlace {
        var inOrder: [WorkerPlace.GivenListener] = []
        for number in plan.listeners {
            guard let listener = listeners[number] else { throw .incomplete }
            inOrder.append(WorkerPlace.GivenListener(number: number, descriptor: listener))
        }
        return WorkerPlace(plan, listeners: inOrder, news: news, supervisor: link)
    }

    /// Tells the supervisor why the worker cannot serve, unless a `Worker` has the link by now.
    package func fail(_ line: String) {
        guard let descriptor = link.take(),
            let frame = FrameWriter(bound: FrameSocket.standardBound).frame(WorkerMessage.failed(line: line))
        else { return }
        // A new socket has room for a line; if the supervisor has ended, nobody needs it.
        _ = DescriptorSocket(descriptor).send(frame)
    }
}

/// Reads messages from the link one by one, and no byte behind them.
private struct BriefingReader: ~Copyable {
    private let socket: DescriptorSocket
    private var reader = FrameReader(bound: FrameSocket.standardBound)
    /// The descriptors that have come; nil for a lost one.
    private var passed: [PassedDescriptor?] = []

    init(_ descriptor: consuming Descriptor) throws(WorkerBriefing.Fault) {
        do throws(SystemError) { try descriptor.setBlocking(true) } catch { throw .ended }
        socket = DescriptorSocket(descriptor)
    }

    /// Gives the link back as a worker needs it.
    consuming func release() throws(WorkerBriefing.Fault) -> Descriptor {
        let descriptor = socket.releaseDescriptor()
        do throws(SystemError) { try descriptor.setBlocking(false) } catch { throw .ended }
        return descriptor
    }

    mutating func next() throws(WorkerBriefing.Fault) -> SupervisorLink.News {
        while true {
            let frame = try frame()
            let descriptor = frame.carriesDescriptor && !passed.isEmpty ? passed.removeFirst() : nil
            do throws(MessageFault) {
                return SupervisorLink.News(message: try SupervisorMessage(frame), descriptor: descriptor)
            } catch {
                // A newer supervisor may say more than this worker has to know.
                guard case .unknownKind = error else { throw .incomplete }
            }
        }
    }

    /// Reads one frame: its length, and then as many bytes as that says.
    private mutating func frame() throws(WorkerBriefing.Fault) -> Frame {
        let length = try receive(Frame.lengthSize).reduce(0) { $0 << 8 | Int($1) }
        do throws(FrameFault) {
            // A length beyond the bound is found before anything of it is waited for.
            _ = try reader.next()
        } catch {
            throw .incomplete
        }
        _ = try receive(length)
        do throws(FrameFault) {
            if let frame = try reader.next() { return frame }
        } catch {
            throw .incomplete
        }
        throw .incomplete
    }

    /// Waits for so many bytes, and gives them to the reader of frames.
    private mutating func receive(_ count: Int) throws(WorkerBriefing.Fault) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var buffer = ReadBuffer(capacity: min(count - bytes.count, ReadBuffer.standardCapacity))
            var came: [Passed] = []
            let result = socket.receive(into: &buffer, passed: &came)
            for one in came { passed.append(one.descriptor) }
            switch result {
            case .bytes: buffer.withBytes { bytes.append(copying: $0) }
            case .wouldBlock: break
            case .end, .failed: throw .ended
            }
        }
        reader.receive(bytes.span)
        return bytes
    }
}

extension SettingEntry {
    /// An entry as the supervisor tells it.
    init(_ entry: WorkerPlan.Entry) {
        let origin: SettingOrigin =
            switch entry.origin {
            case .file(let path, let line, let column): .file(path: path, line: line, column: column)
            case .environment: .environment
            case .flag: .flag
            }
        self.init(entry.name, entry.value, origin: origin, domain: entry.domain)
        isEmptyList = entry.isEmptyList
    }
}
