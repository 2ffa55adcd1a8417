import Foundation
import Glibc

// An emulator of RunPod's API whose pods are process trees of this machine.
//
//   RunPodEmulator --folder FOLDER --agent POD-AGENT [--port PORT] [--wire FILE] [--key KEY]
//
// It prints the variables that lead `launch` to it, one a line. It ends all pods when it gets SIGTERM or SIGINT.

var options: [String: String] = [:]
let words = Array(CommandLine.arguments.dropFirst())
for index in stride(from: 0, to: words.count - 1, by: 2) { options[words[index]] = words[index + 1] }
guard let folder = options["--folder"], let agent = options["--agent"] else {
    print("usage: RunPodEmulator --folder FOLDER --agent POD-AGENT [--port PORT] [--wire FILE] [--key KEY]")
    exit(64)
}

do {
    signal(SIGPIPE, SIG_IGN)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let listener = try Listener(port: options["--port"].flatMap { UInt16($0) } ?? 0)
    let account = Account(
        folder: folder, key: options["--key"] ?? "emulator-key", agent: agent, port: listener.port)
    let api = API(account: account, wire: try WireRecord(options["--wire"] ?? "\(folder)/wire.ndjson"))
    let sources = [SIGTERM, SIGINT].map { number in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler {
            account.killAll()
            exit(0)
        }
        source.resume()
        return source
    }
    let base = "http://127.0.0.1:\(listener.port)"
    let variables = """
        export RUNPOD_REST_URL=\(base)/v2
        export RUNPOD_GRAPHQL_URL=\(base)/graphql
        export RUNPOD_PROXY_URL='\(base)/proxy/{pod}-{port}'
        export RUNPOD_API_KEY=\(account.key)

        """
    FileHandle.standardOutput.write(Data(variables.utf8))
    withExtendedLifetime(sources) { listener.run(api.serve) }
} catch {
    FileHandle.standardError.write(Data("RunPodEmulator: \(error)\n".utf8))
    exit(69)
}
