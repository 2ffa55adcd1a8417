import Foundation
import HTTPClient
import Synchronization
import TestSupport
import Testing

/// The error `work` throws; fails the test when it throws none.
func failure(
    sourceLocation: SourceLocation = #_sourceLocation, _ work: () async throws(HTTPError) -> some Any
) async throws -> HTTPError {
    let outcome: Result<Void, HTTPError>
    do throws(HTTPError) {
        _ = try await work()
        outcome = .success(())
    } catch {
        outcome = .failure(error)
    }
    switch outcome {
    case .success:
        Issue.record("it did not fail", sourceLocation: sourceLocation)
        throw StubError.gaveUp
    case .failure(let error): return error
    }
}

/// Waits for `signal` and says how long after `start` it was fired.
func time(from start: ContinuousClock.Instant, to signal: StubSignal) async throws -> Duration {
    await signal.wait()
    return try #require(signal.firedAt) - start
}

func text(_ bytes: [UInt8]?) -> String? {
    bytes.map { String(decoding: $0, as: UTF8.self) }
}

/// A number that tasks and threads add to.
final class Counter: Sendable {
    private let number = Mutex(0)

    var value: Int { number.withLock { $0 } }

    /// - Returns: The sum.
    @discardableResult
    func add(_ count: Int) -> Int {
        number.withLock {
            $0 += count
            return $0
        }
    }
}

/// A checksum that is quick in a debug build: 64-bit FNV-1a over the bytes, carried on from chunk to chunk.
struct Checksum: Equatable {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325  // offset basis, RFC 9923
    private(set) var count = 0

    mutating func add(_ bytes: [UInt8]) {
        var hash = value
        bytes.withUnsafeBufferPointer { bytes in
            var index = 0
            while index < bytes.count {
                hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01b3  // prime
                index &+= 1
            }
        }
        value = hash
        count += bytes.count
    }
}

func setEnvironment(_ name: String, _ value: String) {
    setenv(name, value, 1)
}

/// Prints what was measured, when asked for with `HTTP_TIMINGS=1`.
enum Timings {
    static func note(_ what: String, _ time: Duration) {
        guard getenv("HTTP_TIMINGS") != nil else { return }
        print("timing: \(what): \(time / .milliseconds(1)) ms")
    }
}
