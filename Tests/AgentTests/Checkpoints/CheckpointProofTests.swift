import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// Checkpoints that real libraries saved, whole and damaged.
@Suite struct CheckpointProofTests {
    @Test(arguments: SavedCheckpoint.kinds) func whatWasSavedIsWhole(_ kind: String) throws {
        let proof = try SavedCheckpoint(kind).examine()
        #expect(proof.findings == [])
        #expect(proof.files >= 2)
        #expect(proof.checked == proof.files)
    }

    @Test func eachFileAlone() throws {
        for file in try SavedCheckpoint.files() where !file.hasSuffix("index.json") && !file.hasSuffix(".metadata") {
            let checkpoint = try SavedCheckpoint(file: file.lastComponent, SavedCheckpoint.content(file))
            let path = "\(checkpoint.path)/\(file.lastComponent)"
            let proof = try CheckpointProof.examine(path)
            #expect((proof.files, proof.checked) == (1, 1) && proof.findings == [], "\(file)")
        }
    }

    /// At every place in small files, at 200 random ones in others.
    @Test func aFileThatWasCutOffIsNotWhole() throws {
        var generator = SeededGenerator(seed: 1)
        for file in try SavedCheckpoint.files() {
            let content = try SavedCheckpoint.content(file)
            let name = file.lastComponent
            let checkpoint = try SavedCheckpoint(String(file.prefix { $0 != "/" }))
            let lengths =
                content.count <= 300
                ? Array(0..<content.count) : (0..<200).map { _ in Int.random(in: 0..<content.count, using: &generator) }
            for length in lengths where !Self.cannotBeSeen(file, content, length) {
                try checkpoint.write(name, Array(content[..<length]))
                let proof = try CheckpointProof.examine("\(checkpoint.path)/\(name)")
                #expect(!proof.isWhole, "\(file) cut off at \(length)")
            }
        }
    }

    /// Where what is left of a file is a whole file of its format, or the format says nothing of its length.
    private static func cannotBeSeen(_ file: String, _ content: [UInt8], _ length: Int) -> Bool {
        switch file {
        // White space at the end.
        case "trainer/trainer_state.json": length == content.count - 1
        // The text inside may have the byte with which a pickle ends.
        case "single/state.pkl": length > 2 && content[length - 1] == UInt8(ascii: ".")
        case "arrays/objects.npy": content[..<length].last == UInt8(ascii: ".")
        // Data of a size that only the pickles before it know.
        case "single/old.pt": length >= content.count - 24 || length < 15
        // A structure of several types.
        case "arrays/structure.npy": length >= 128
        // The end of an inner archive.
        case "distributed/__0_0.distcp": (try? Self.endsWithArchive(content, length)) ?? false
        default: false
        }
    }

    private static func endsWithArchive(_ content: [UInt8], _ length: Int) throws -> Bool {
        length >= 22 && ZipFormat.isEnd(Array(content[length - 22..<length]))
    }

    /// The formats do not show it, the sums do.
    @Test func aFlippedByteIsSeenByTheSums() throws {
        let checkpoint = try SavedCheckpoint("sharded")
        let before = try FileSums().of(checkpoint.path)
        var content = try SavedCheckpoint.content("sharded/model-00002-of-00003.safetensors")
        content[content.count - 3] ^= 1
        try checkpoint.write("model-00002-of-00003.safetensors", content)
        #expect(try checkpoint.examine().isWhole)
        let after = try FileSums().of(checkpoint.path)
        #expect(zip(before, after).map { $0.sha256 == $1.sha256 } == [true, false, true, true])
        #expect(before.map(\.size) == after.map(\.size))
    }

    @Test(arguments: [
        (
            "sharded", "model-00002-of-00003.safetensors",
            [
                "model-00002-of-00003.safetensors: is missing of 3",
                "model.safetensors.index.json: names \"model-00002-of-00003.safetensors\", which is missing",
            ]
        ),
        ("distributed", "__0_0.distcp", [".metadata: names \"__0_0.distcp\", which is missing"]),
        ("distributed", ".metadata", [".metadata: is missing; it is written after \"__0_0.distcp\" and all others"]),
        (
            "trainer", "trainer_state.json",
            ["trainer_state.json: is missing; the Trainer of transformers writes it after all others"]
        ),
        // Which files a training saves only its other checkpoints tell.
        ("trainer", "optimizer.pt", []),
        ("sharded", "model.safetensors.index.json", []),
    ])
    func aMissingMember(_ kind: String, _ name: String, _ faults: [String]) throws {
        let checkpoint = try SavedCheckpoint(kind)
        try checkpoint.remove(name)
        #expect(try checkpoint.faults().sorted() == faults)
    }

    @Test(arguments: ["model.safetensors", "optimizer.pt", "rng_state.pth", "training_args.bin", "config.json"])
    func anEmptyFile(_ name: String) throws {
        let checkpoint = try SavedCheckpoint("trainer")
        try checkpoint.write(name, [])
        #expect(try checkpoint.faults() == ["\(name): is empty"])
    }

    /// What a file system may leave after a loss of power: the size, and zeros.
    @Test(arguments: ["model.safetensors", "optimizer.pt", "rng_state.pth", "trainer_state.json"])
    func aFileOfZeros(_ name: String) throws {
        let checkpoint = try SavedCheckpoint("trainer")
        let size = try SavedCheckpoint.content("trainer/\(name)").count
        try checkpoint.write(name, [UInt8](repeating: 0, count: size))
        #expect(try checkpoint.faults().count == 1)
    }

    @Test func extraFilesAreNoFault() throws {
        let checkpoint = try SavedCheckpoint("trainer")
        for name in ["README.md", "merges.txt", "events.out.tfevents.1", "spiece.model", "a.py", "x.tar.gz"] {
            try checkpoint.write(name, "hello")
        }
        try checkpoint.write("__init__.py", "")
        let proof = try checkpoint.examine()
        #expect(proof.isWhole)
        #expect(proof.findings == [Finding(.remark, "__init__.py", "is empty")])
        #expect(proof.files == proof.checked + 7)
    }

    @Test func anEmptyFolder() throws {
        let folder = try TemporaryFolder()
        try File.makeFolders("\(folder.path)/checkpoint-1/deep/er")
        let proof = try CheckpointProof.examine("\(folder.path)/checkpoint-1")
        #expect(proof.findings == [Finding(.damage, "", "contains no file")])
        #expect(!proof.isWhole)
    }

    @Test(arguments: [
        "tmp-checkpoint-10", "tmp_checkpoint-10", "checkpoint-10.tmp", "checkpoint-10.tmp/",
        "5.orbax-checkpoint-tmp-17",
    ])
    func theNameOfOneInTheMaking(_ name: String) throws {
        let folder = try TemporaryFolder()
        try File.makeFolders("\(folder.path)/\(name)")
        try File.write(Array("{}".utf8), over: "\(folder.path)/\(name)/config.json")
        #expect(try CheckpointProof.examine("\(folder.path)/\(name)").isWhole == false)
    }

    @Test func filesInTheMaking() throws {
        let checkpoint = try SavedCheckpoint("trainer")
        try checkpoint.write("optimizer.pt.tmp", "x")
        #expect(try checkpoint.examine().findings.map(\.weight) == [.remark])
        try checkpoint.write("scheduler_2.pt.tmp", "x")
        #expect(try checkpoint.faults() == ["scheduler_2.pt.tmp: has the name of a file that is still being written"])
    }

    @Test func deepInside() throws {
        let checkpoint = try SavedCheckpoint("trainer")
        try File.makeFolders("\(checkpoint.path)/adapter/deep")
        try checkpoint.write("adapter/deep/adapter_config.json", "{\"a\": ")
        #expect(try checkpoint.faults() == ["adapter/deep/adapter_config.json: ends in the middle of its JSON"])
    }

    /// Never waits for a pipe, never leaves the checkpoint by a link to a folder.
    @Test func whatIsNoFile() throws {
        let checkpoint = try SavedCheckpoint("trainer")
        mkfifo("\(checkpoint.path)/pipe.json", 0o600)
        symlink("/", "\(checkpoint.path)/root")
        symlink("/dev/zero", "\(checkpoint.path)/zero.json")
        symlink("config.json", "\(checkpoint.path)/again.json")
        let proof = try checkpoint.examine()
        #expect(proof.isWhole)
        #expect(Set(proof.findings.map(\.file)) == ["pipe.json", "root", "zero.json"])
        symlink("nowhere", "\(checkpoint.path)/gone.json")
        #expect(try checkpoint.faults() == ["gone.json: is a link that leads nowhere"])
    }

    @Test func nothingThere() throws {
        #expect(throws: Problem.self) { try CheckpointProof.examine("/nowhere/checkpoint-1") }
    }

    /// A link to the newest one is as good as that.
    @Test func byALink() throws {
        let checkpoint = try SavedCheckpoint("trainer")
        symlink("checkpoint-10", checkpoint.path.parentFolder + "/last")
        #expect(try CheckpointProof.examine(checkpoint.path.parentFolder + "/last") == checkpoint.examine())
    }

    @Test(arguments: [
        (["model-00001-of-00002.bin", "model-00002-of-00002.bin"], []),
        (["model-00002-of-00002.bin"], ["model-00001-of-00002.bin"]),
        (["data-00000-of-00002.x"], ["data-00001-of-00002.x"]), (["data-00001-of-00002", "data-00000-of-00002"], []),
        (["a-1-of-3", "b-2-of-3"], ["a-2-of-3", "a-3-of-3", "b-1-of-3", "b-3-of-3"]),
        (["state-of-the-art.txt", "a-5-of-3", "1-of-", "-of-3", "a-1-of-99999999", "a-1-of-99999999999999999999"], []),
    ])
    func numberedFiles(_ names: [String], _ missing: [String]) {
        #expect(NumberedSet.all(in: names).flatMap(\.missing).sorted() == missing)
    }

    @Test func tenThousandFiles() throws {
        let checkpoint = try SavedCheckpoint("trainer")
        let state = try SavedCheckpoint.content("trainer/scheduler.pt")
        for number in 0..<10_000 { try checkpoint.write("state_\(number).pt", state) }
        let clock = ContinuousClock()
        var proof = CheckpointProof()
        var sums: [FileSum] = []
        let examined = try clock.measure { proof = try checkpoint.examine() }
        let summed = try clock.measure { sums = try FileSums().of(checkpoint.path) }
        print("timing: 10,007 files examined in \(examined), summed in \(summed)")
        #expect(proof == CheckpointProof(files: 10_007, checked: 10_007))
        #expect(sums.count == 10_007)
        #expect(examined < .seconds(20))
    }
}
