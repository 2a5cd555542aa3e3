import Handover

/// Where a request is served.
enum Placement: Equatable {
    /// Here: it has been taken or answered.
    case here
    /// By the worker with this tag, which owns the session.
    case elsewhere(UInt32)
    /// By the worker with this tag, which is to begin a session for it.
    case forNew(UInt32)
    /// By the worker with this tag, because this one takes nothing new.
    case byOther(UInt32)
}

/// Whether a request may be served by another worker.
enum Mobility {
    /// Nothing stands in the way.
    case free
    /// Other requests of its connection have to be answered first.
    case bound
    /// Another worker has sent it here.
    case placed
}

extension Placement {
    /// Why a connection moves; a request that is served here does not.
    var purpose: Envelope.Purpose {
        switch self {
        case .here, .forNew: .creation
        case .elsewhere(let tag): .session(tag: tag)
        case .byOther: .anything
        }
    }

    /// Whether the request goes elsewhere because this worker takes nothing new.
    var isByOther: Bool {
        if case .byOther = self { true } else { false }
    }

    /// The other worker that is to serve the request; nil for this one.
    var tag: UInt32? {
        switch self {
        case .here: nil
        case .elsewhere(let tag), .forNew(let tag), .byOther(let tag): tag
        }
    }
}
