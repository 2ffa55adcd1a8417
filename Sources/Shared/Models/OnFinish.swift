/// The rule for a pod when its run is over.
public enum OnFinish: Sendable, Equatable {
    /// `terminate` is only done if the volume outlives the pod and everything that matters is proven to be on it.
    case end(PodEnd)
    /// The pod stays as it is, and costs. It is stopped after a time if one is given.
    case keep(Duration?)

    public static let stop = OnFinish.end(.stop)
    public static let terminate = OnFinish.end(.terminate)
}

/// `"stop"`, `"terminate"`, `"keep"` or `{"keep": SECONDS}`.
extension OnFinish: Codable {
    private static let keepWord = "keep"

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let end = try? container.decode(PodEnd.self) {
            self = .end(end)
        } else if let word = try? container.decode(String.self), word == Self.keepWord {
            self = .keep(nil)
        } else {
            let times = try container.decode([String: Seconds<Duration>].self)
            guard let time = times[Self.keepWord], times.count == 1 else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a rule for a pod's end")
            }
            self = .keep(time.wrappedValue)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .end(let end): try container.encode(end)
        case .keep(nil): try container.encode(Self.keepWord)
        case .keep(let time?): try container.encode([Self.keepWord: Seconds(wrappedValue: time)])
        }
    }
}
