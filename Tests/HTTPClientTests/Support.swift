import Foundation
import HTTPClient
import Synchronization
import TestSupport
import Testing

/// Returns the error that `work` throws. Fails the test if it throws none.
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

/// Waits for `signal` and returns the time from `start` to its firing.
func time(from start: ContinuousClock.Instant, to signal: StubSignal) async throws -> Duration {
    await signal.wait()
    return try #require(signal.firedAt) - start
}

func text(_ bytes: [UInt8]?) -> String? {
    bytes.map { String(decoding: $0, as: UTF8.self) }
}

/// A sum that tasks and threads may add to at the same time.
final class Counter: Sendable {
    private let number = Mutex(0)

    var value: Int { number.withLock { $0 } }

    /// - Returns: The new sum.
    @discardableResult
    func add(_ count: Int) -> Int {
        number.withLock {
            $0 += count
            return $0
        }
    }
}

/// A checksum that is fast in a debug build: 64-bit FNV-1a, continued from chunk to chunk.
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

/// Prints measured times if `HTTP_TIMINGS` is set.
enum Timings {
    static func note(_ what: String, _ time: Duration) {
        guard getenv("HTTP_TIMINGS") != nil else { return }
        print("timing: \(what): \(time / .milliseconds(1)) ms")
    }
}
