import Shared
import Testing

@testable import Agent

@Suite struct ChildEnvironmentTests {
    private static let all = [
        "PATH": "/usr/bin", "HOME": "/root", "POD_AGENT_SPEC": "{}", "POD_AGENT_TOKEN_SHA256": "ab",
        "POD_AGENT_STOP_KEY": "k", "POD_AGENT_POD_ID": "p", "POD_AGENT_RESUME": "stale", "POD_AGENT_": "",
        "RUNPOD_API_KEY": "k", "RUNPOD_POD_ID": "p", "HF_TOKEN": "the user's own",
    ]
    private static let inherited = {
        let host = Host([:])
        return all.filter { name, _ in !host.isPrivate(name) }
    }()

    private func training(
        _ env: [String: String] = [:], inherited: [String: String] = inherited, python: String? = nil,
        checkpoint: String? = nil
    ) throws -> [String: String] {
        ChildEnvironment.training(
            inherited, stream: "s1", spec: try RunSpec.plain(command: .exec(["t"]), env: env),
            python: python.map { PythonEnvironment(path: $0, shared: "/v/envs/x", hook: "/v/hook") },
            checkpoint: checkpoint)
    }

    @Test("a child gets none of the agent's own variables and keys")
    func agentsOwn() {
        #expect(
            ChildEnvironment.setup(Self.inherited, stream: "s1")
                == [
                    "PATH": "/usr/bin", "HOME": "/root", "RUNPOD_POD_ID": "p", "HF_TOKEN": "the user's own",
                    "POD_AGENT_STREAM": "s1",
                ])
    }

    @Test("the training gets the config's variables and the checkpoint to resume from")
    func training() throws {
        let environment = try training(["HOME": "/home", "NEW": "1"], checkpoint: "/v/c 1")
        #expect(
            environment
                == [
                    "PATH": "/usr/bin", "HOME": "/home", "NEW": "1", "RUNPOD_POD_ID": "p",
                    "HF_TOKEN": "the user's own", "PYTHONFAULTHANDLER": "1", "PYTHONUNBUFFERED": "1",
                    "POD_AGENT_RESUME": "/v/c 1",
                    "POD_AGENT_STREAM": "s1",
                ])
    }

    @Test("Python runs unbuffered unless the user sets PYTHONUNBUFFERED")
    func unbuffered() throws {
        #expect(try training()["PYTHONUNBUFFERED"] == "1")
        #expect(try training(["PYTHONUNBUFFERED": ""])["PYTHONUNBUFFERED"] == "")
        #expect(try training(inherited: ["PYTHONUNBUFFERED": "0"])["PYTHONUNBUFFERED"] == "0")
    }

    @Test("a fresh start has no variable POD_AGENT_RESUME")
    func freshStart() throws {
        #expect(try training()["POD_AGENT_RESUME"] == nil)
    }

    @Test("the Python environment comes first in PATH and PYTHONPATH, also in those of the config")
    func searchPath() throws {
        let environment = try training(python: "/v/layer")
        #expect(environment["PATH"] == "/v/layer/bin:/v/envs/x/bin:/usr/bin")
        #expect(environment["VIRTUAL_ENV"] == "/v/layer")
        #expect(environment["PYTHONPATH"] == "/v/hook")
        let set = try training(["PATH": "/mine", "PYTHONPATH": "src"], python: "/v/layer")
        #expect(set["PATH"] == "/v/layer/bin:/v/envs/x/bin:/mine")
        #expect(set["PYTHONPATH"] == "/v/hook:src")
        #expect(
            try training(inherited: [:], python: "/v/layer")["PATH"]
                == "/v/layer/bin:/v/envs/x/bin:/usr/local/bin:/usr/bin:/bin")
    }

    @Test("installers get the config's variables")
    func installer() {
        let variables = ChildEnvironment.installer(Self.inherited, stream: "s1", config: ["HOME": "/h", "NEW": "1"])
        #expect(variables["HOME"] == "/h" && variables["NEW"] == "1" && variables["POD_AGENT_STREAM"] == "s1")
    }
}
