import Shared
import TestSupport
import Testing

/// The JSON of a spec, as `POD_AGENT_SPEC` and `run.json` have it.
@Suite struct RunSpecTests {
    private func spec() throws -> RunSpec {
        RunSpec(
            run: try #require(RunID("a")), project: "p", command: .shell("x"), volume: "/v",
            launch: LaunchOrder(id: "L1"))
    }

    private static let required = #"{"run":"a","command":"x","project":"p","volume":"/v""#
    private static let launch = #""launch":{"force":false,"id":"L1","supersedes":[]}}"#

    private func decoded(_ keys: String = "") throws -> RunSpec {
        try JSON.decode(RunSpec.self, from: "\(Self.required),\(keys)\(Self.launch)".utf8)
    }

    @Test("a spec that lacks keys has their defaults")
    func absentKeys() throws {
        #expect(try decoded() == spec())
        var expected = try spec()
        expected.limits.duration = .seconds(5)
        expected.dependencies.requirements = ["r.txt"]
        expected.retry.crash = 7
        let keys = #""limits":{"duration":5},"dependencies":{"requirements":["r.txt"]},"retry":{"crash":7},"#
        #expect(try decoded(keys) == expected)
    }

    @Test("a spec without a run, a command, a project, a volume or a launch is refused")
    func requiredKeys() throws {
        let whole = try JSONValue(encoding: spec())
        guard case .map(let members) = whole else { throw Problem("a spec is no map") }
        for key in ["run", "command", "project", "volume", "launch"] {
            #expect(throws: DecodingError.self) {
                try JSONValue.map(members.filter { $0.key != key }).decode(RunSpec.self)
            }
        }
    }

    /// A finished run stays the same run when a later version has more keys.
    @Test("the fingerprint counts no setting that has its default value")
    func fingerprint() throws {
        var named = try spec()
        named.tty = true
        let other = try named.fingerprint
        named.tty = false
        #expect(try named.fingerprint == spec().fingerprint && other != named.fingerprint)
        let bare = JSONValue.map([
            "run": .text("a"), "command": .text("x"), "project": .text("p"), "volume": .text("/v"),
            "launch": try JSONValue(encoding: LaunchOrder(id: "")),
        ])
        #expect(try named.fingerprint == SHA256Digest(of: JSON.encode(bare)).description)
    }

    struct Rule: Sendable {
        var keys: String
        var change: @Sendable (inout RunSpec) -> Void

        init(_ keys: String, _ change: @escaping @Sendable (inout RunSpec) -> Void) {
            (self.keys, self.change) = (keys, change)
        }
    }

    static let rules = [
        Rule(#""onFinish":"stop","#) { $0.onFinish = .stop },
        Rule(#""onFinish":"terminate","#) { $0.onFinish = .terminate },
        Rule(#""onFinish":"keep","#) { $0.onFinish = .keep(nil) },
        Rule(#""onFinish":{"keep":7200},"#) { $0.onFinish = .keep(.seconds(7200)) },
        Rule(#""diskFull":"stop","#) { $0.diskFull = .stop },
        Rule(#""diskFull":{"pause":0.5},"#) { $0.diskFull = .pause(.milliseconds(500)) },
        Rule(#""retry":{"crash":"unlimited","preempted":3,"backoff":0.1},"#) {
            $0.retry = RetryPolicy(crash: nil, backoff: .milliseconds(100))
            $0.retry.preempted = 3
        },
        Rule(#""limits":{"stall":"auto"},"#) { $0.limits.stall = .auto },
        Rule(#""limits":{"stall":90,"cost":2.5},"#) {
            $0.limits.stall = .after(.seconds(90))
            $0.limits.cost = Money(micros: 2_500_000)
        },
    ]

    @Test("rules have the words of the config and times in seconds", arguments: rules)
    func words(_ rule: Rule) throws {
        var expected = try spec()
        rule.change(&expected)
        #expect(try decoded(rule.keys) == expected)
        #expect(try JSON.decode(RunSpec.self, from: JSON.encode(expected)) == expected)
    }

    @Test(
        "a rule that is no rule is refused",
        arguments: [
            #""onFinish":"sleep","#, #""onFinish":{"stop":1},"#, #""diskFull":"keep","#, #""diskFull":{"wait":1},"#,
            #""retry":{"crash":"lots"},"#, #""limits":{"stall":"never"},"#, #""limits":{"setup":1e300},"#,
            #""limits":{"cost":1e300},"#,
        ])
    func noRules(_ keys: String) {
        #expect(throws: (any Error).self) { try decoded(keys) }
    }
}
