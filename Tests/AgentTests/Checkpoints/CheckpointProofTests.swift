import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// Checkpoints that real libraries saved, whole and damaged.
@Suite struct CheckpointProofTests {
    @Test("a checkpoint that a real library saved is whole, with every file checked", arguments: SavedCheckpoint.kinds)
    func realLibraries(_ kind: String) throws {
        let proof = try SavedCheckpoint(kind).examine()
        #expect(proof.findings == [])
        #expect(proof.files >= 2)
        #expect(proof.checked == proof.files)
    }

    @Test("each file of a saved checkpoint is whole when it is examined alone")
    func singleFiles() throws {
        for file in try SavedCheckpoint.files() where !file.hasSuffix("index.json") && !file.hasSuffix(".metadata") {
            let checkpoint = try SavedCheckpoint(file: file.lastComponent, SavedCheckpoint.content(file))
            let path = "\(checkpoint.path)/\(file.lastComponent)"
            let proof = try CheckpointProof.examine(path)
            #expect((proof.files, proof.checked) == (1, 1) && proof.findings == [], "\(file)")
        }
    }

    /// At every length of small files, at 200 random lengths of others.
    @Test("a checkpoint file that is cut off at any length is not whole")
    func cutOff() throws {
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

    /// Returns true if the rest is a whole file of its format, or if the format does not record its length.
    private static func cannotBeSeen(_ file: String, _ content: [UInt8], _ length: Int) -> Bool {
        switch file {
        // Only white space is cut off.
        case "trainer/trainer_state.json": length == content.count - 1
        // A text inside may contain the byte that ends a pickle.
        case "single/state.pkl": length > 2 && content[length - 1] == UInt8(ascii: ".")
        case "arrays/objects.npy": content[..<length].last == UInt8(ascii: ".")
        // Only the pickles before the data know its size.
        case "single/old.pt": length >= content.count - 24 || length < 15
        // The size of a structure of several types is not computed.
        case "arrays/structure.npy": length >= 128
        // The cut is at the end of an inner archive.
        case "distributed/__0_0.distcp": (try? Self.endsWithArchive(content, length)) ?? false
        default: false
        }
    }

    private static func endsWithArchive(_ content: [UInt8], _ length: Int) throws -> Bool {
        length >= 22 && ZipFormat.isEnd(Array(content[length - 22..<length]))
    }

    @Test("a flipped byte in a tensor changes the file's SHA-256, though its format looks whole")
    func flippedByte() throws {
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

    @Test(
        "a missing file is a fault when the rest of the checkpoint shows that it belongs there",
        arguments: [
            (
                "sharded", "model-00002-of-00003.safetensors",
                [
                    "model-00002-of-00003.safetensors: is missing of 3",
                    "model.safetensors.index.json: names \"model-00002-of-00003.safetensors\", which is missing",
                ]
            ),
            ("distributed", "__0_0.distcp", [".metadata: names \"__0_0.distcp\", which is missing"]),
            (
                "distributed", ".metadata",
                [".metadata: is missing; torch.distributed.checkpoint writes it after all others"]
            ),
            (
                "trainer", "trainer_state.json",
                ["trainer_state.json: is missing; the Trainer of transformers writes it after all others"]
            ),
            // Only the training's other checkpoints show that these are missing.
            ("trainer", "optimizer.pt", []),
            ("sharded", "model.safetensors.index.json", []),
        ])
    func missingFile(_ kind: String, _ name: String, _ faults: [String]) throws {
        let checkpoint = try SavedCheckpoint(kind)
        try checkpoint.remove(name)
        #expect(try checkpoint.faults().sorted() == faults)
    }

    @Test(
        "an empty file of weights, state or configuration is a fault",
        arguments: ["model.safetensors", "optimizer.pt", "rng_state.pth", "training_args.bin", "config.json"])
    func emptyFile(_ name: String) throws {
        let checkpoint = try SavedCheckpoint("trainer")
        try checkpoint.write(name, [])
        #expect(try checkpoint.faults() == ["\(name): is empty"])
    }

    /// A file system may leave this after a loss of power.
    @Test(
        "a file of the right size that holds only zeros is a fault",
        arguments: ["model.safetensors", "optimizer.pt", "rng_state.pth", "trainer_state.json"])
    func zeros(_ name: String) throws {
        let checkpoint = try SavedCheckpoint("trainer")
        let size = try SavedCheckpoint.content("trainer/\(name)").count
        try checkpoint.write(name, [UInt8](repeating: 0, count: size))
        #expect(try checkpoint.faults().count == 1)
    }

    @Test("files of other kinds in a checkpoint are no fault")
    func extraFiles() throws {
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

    @Test("a checkpoint without any file is damaged")
    func noFile() throws {
        let folder = try TemporaryFolder()
        try File.makeFolders("\(folder.path)/checkpoint-1/deep/er")
        let proof = try CheckpointProof.examine("\(folder.path)/checkpoint-1")
        #expect(proof.findings == [Finding(.damage, "", "contains no file")])
        #expect(!proof.isWhole)
    }

    @Test(
        "a checkpoint whose folder has a temporary name is not whole",
        arguments: [
            "tmp-checkpoint-10", "tmp_checkpoint-10", "checkpoint-10.tmp", "checkpoint-10.tmp/",
            "5.orbax-checkpoint-tmp-17",
        ])
    func temporaryFolder(_ name: String) throws {
        let folder = try TemporaryFolder()
        try File.makeFolders("\(folder.path)/\(name)")
        try File.write(Array("{}".utf8), over: "\(folder.path)/\(name)/config.json")
        #expect(try CheckpointProof.examine("\(folder.path)/\(name)").isWhole == false)
    }

    @Test("a file with a temporary name is a fault unless its final file is there too")
    func temporaryFiles() throws {
        let checkpoint = try SavedCheckpoint("trainer")
        try checkpoint.write("optimizer.pt.tmp", "x")
        #expect(try checkpoint.examine().findings.map(\.weight) == [.remark])
        try checkpoint.write("scheduler_2.pt.tmp", "x")
        #expect(try checkpoint.faults() == ["scheduler_2.pt.tmp: has the name of a file that is still being written"])
    }

    @Test("a damaged file in a nested folder is a fault that names its path")
    func nestedFolder() throws {
        let checkpoint = try SavedCheckpoint("trainer")
        try File.makeFolders("\(checkpoint.path)/adapter/deep")
        try checkpoint.write("adapter/deep/adapter_config.json", "{\"a\": ")
        #expect(try checkpoint.faults() == ["adapter/deep/adapter_config.json: ends in the middle of its JSON"])
    }

    /// Opening a pipe would block, and a link to a folder would lead out of the checkpoint.
    @Test("a checkpoint with a pipe, a device or a link to a folder is whole, one with a dangling link is not")
    func specialFiles() throws {
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

    @Test("examining a checkpoint that does not exist is an error")
    func missingPath() throws {
        #expect(throws: Problem.self) { try CheckpointProof.examine("/nowhere/checkpoint-1") }
    }

    /// A training may keep a link to its newest checkpoint.
    @Test("a checkpoint examined through a link has the same proof")
    func throughLink() throws {
        let checkpoint = try SavedCheckpoint("trainer")
        symlink("checkpoint-10", checkpoint.path.parentFolder + "/last")
        #expect(try CheckpointProof.examine(checkpoint.path.parentFolder + "/last") == checkpoint.examine())
    }

    @Test(
        "the missing files of a numbered set are known from the names of the others",
        arguments: [
            (["model-00001-of-00002.bin", "model-00002-of-00002.bin"], []),
            (["model-00002-of-00002.bin"], ["model-00001-of-00002.bin"]),
            (["data-00000-of-00002.x"], ["data-00001-of-00002.x"]),
            (["data-00001-of-00002", "data-00000-of-00002"], []),
            (["a-1-of-3", "b-2-of-3"], ["a-2-of-3", "a-3-of-3", "b-1-of-3", "b-3-of-3"]),
            (
                [
                    "state-of-the-art.txt", "a-5-of-3", "1-of-", "-of-3", "a-1-of-99999999",
                    "a-1-of-99999999999999999999",
                ], []
            ),
        ])
    func numberedSets(_ names: [String], _ missing: [String]) {
        #expect(NumberedSet.all(in: names).flatMap(\.missing).sorted() == missing)
    }

    @Test("a checkpoint of ten thousand files is examined within 20 seconds")
    func tenThousandFiles() throws {
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
