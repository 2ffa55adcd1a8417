/// The end of a process, wait(2).
public enum ExitStatus: Sendable, Equatable {
    case code(Int32)
    case signal(Int32)

    /// `status` as wait(2) returns it for a process that has ended.
    public init(wait status: Int32) {
        let signal = status & 0x7f  // WTERMSIG; the next byte is WEXITSTATUS
        self = signal == 0 ? .code(status >> 8 & 0xff) : .signal(signal)
    }

    /// The exit code that a shell reports: the code, or 128 + the signal.
    public var shellCode: Int32 {
        switch self {
        case .code(let code): code
        case .signal(let number): 128 + number
        }
    }
}

extension ExitStatus: Codable {
    private enum CodingKeys: String, CodingKey {
        case code
        case signal
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if try container.decodeIfPresent(Int32.self, forKey: .code) != nil {
            self = .code(try container.decode(0...255, forKey: .code))
        } else {
            self = .signal(try container.decode(1...127, forKey: .signal))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .code(let code): try container.encode(code, forKey: .code)
        case .signal(let number): try container.encode(number, forKey: .signal)
        }
    }
}
