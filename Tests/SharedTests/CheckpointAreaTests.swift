import Testing

@testable import Shared

@Suite struct CheckpointAreaTests {
    private func part(
        _ path: String, of rule: CheckpointRule? = CheckpointRule(path: "out/ckpt"), workdir: String = "."
    ) -> String? {
        CheckpointArea(of: rule, workdir: workdir, work: "/v/runs/r/work").part(of: path)
    }

    @Test("the folder of checkpoints.path belongs to the run with all that is in it")
    func folder() {
        #expect(part("out/ckpt") == "out/ckpt")
        #expect(part("out/ckpt/last/model") == "out/ckpt")
        for path in ["out", "out/ckpt2", "out/other/ckpt", "ckpt", "sub/out/ckpt"] { #expect(part(path) == nil) }
        #expect(part("out/ckpt", of: nil) == nil)
        #expect(CheckpointArea().part(of: "a") == nil)
    }

    @Test("checkpoints.path is relative to workdir")
    func workdir() {
        #expect(part("sub/out/ckpt/x", workdir: "./sub/") == "sub/out/ckpt")
        #expect(part("out/ckpt/x", workdir: "sub") == nil)
        #expect(part("out/x", of: CheckpointRule(path: "../out/"), workdir: "sub") == "out")
        #expect(part("sub/out/ckpt", workdir: "/v/runs/r/work/sub") == "sub/out/ckpt")
        #expect(part("out/ckpt", workdir: "/v/elsewhere") == nil)
    }

    @Test("only checkpoints belong to the run if their folder also contains the code", arguments: [".", "..", "./"])
    func codeFolder(path: String) {
        let rule = CheckpointRule(path: path, names: ["last.ckpt", "best*"])
        let place = path == ".." ? "" : "sub/"
        #expect(part("\(place)last.ckpt", of: rule, workdir: "sub") == "\(place)last.ckpt")
        #expect(part("\(place)best-1/model", of: rule, workdir: "sub") == "\(place)best-1")
        #expect(part("\(place)checkpoint-7/x", of: rule, workdir: "sub") == "\(place)checkpoint-7")
        for name in ["train.py", "checkpoint-last", "blast.ckpt", "code/last.ckpt"] {
            #expect(part(place + name, of: rule, workdir: "sub") == nil)
        }
    }

    @Test("checkpoints.path takes wildcards")
    func wildcards() {
        let rule = CheckpointRule(path: "logs/version_*/ckpt")
        #expect(part("logs/version_3/ckpt/a", of: rule) == "logs/version_3/ckpt")
        #expect(part("logs/other/ckpt/a", of: rule) == nil)
    }
}
