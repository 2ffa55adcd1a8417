/// A refusal of RunPod, or no answer: a sentence for a person, a hint, and a kind for the program.
public struct RunPodError: Error, Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// No machine of this kind is free now.
        case noCapacity
        /// This kind is not offered there at all, or not to this key.
        case notOffered
        case lowBalance
        /// The request itself is wrong. The same request fails again.
        case invalid
        /// RunPod does not know the key.
        case unauthorized
        /// The key lacks the right.
        case forbidden
        case notFound
        /// The pod's status does not allow the action.
        case conflict
        case rateLimited
        /// RunPod failed, or its answer could not be read.
        case service
        /// The request or its answer got lost on the way.
        case unreachable
    }

    public var kind: Kind
    /// Lower case, no full stop.
    public var sentence: String
    public var hint: String?
    /// HTTP status; nil without an answer.
    public var status: Int?
    /// RunPod's name for the request, for its support.
    public var requestID: String?
    /// RunPod may have carried out the request although it reported no success.
    public var mayHaveWorked: Bool

    public init(
        _ kind: Kind, _ sentence: String, hint: String? = nil, status: Int? = nil, requestID: String? = nil,
        mayHaveWorked: Bool = false
    ) {
        self.kind = kind
        self.sentence = sentence
        self.hint = hint
        self.status = status
        self.requestID = requestID
        self.mayHaveWorked = mayHaveWorked
    }

    /// Whether the same request may succeed a little later.
    public var isPassing: Bool { [.service, .unreachable, .rateLimited].contains(kind) }
}

extension RunPodError: CustomStringConvertible {
    public var description: String { sentence }
}
