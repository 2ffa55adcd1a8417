import Shared
import TestSupport
import Testing

@testable import Agent

/// SQLite databases in the code, as optuna and mlflow keep them there. A database and its journals are one result.
@Suite final class DatabaseFilesTests {
    private let bed: CodeBed
    private static let first = "SQLite format 3\0 of the laptop"
    private static let second = "SQLite format 3\0 of the laptop, changed"

    init() throws {
        bed = try CodeBed()
        try bed.sync(["a.py": "1", "study.db": Self.first])
    }

    @Test("a database with a journal of the training stays if the laptop's did not change")
    func stays() throws {
        try bed.put("study.db-wal", "trials")
        try bed.sync(["a.py": "2", "study.db": Self.first])
        #expect(try bed.tree() == ["a.py": "2", "study.db": Self.first, "study.db-wal": "trials"])
        #expect(bed.lines.contains(.resultStays("study.db", isInCode: true)))
    }

    @Test("a database and its journals make room together", arguments: [true, false])
    func makeRoom(changed: Bool) throws {
        let trained = changed ? "SQLite format 3\0 of the training" : Self.first
        try bed.put("study.db", trained)
        for (ending, text) in ["-wal": "trials", "-shm": "memory", "-journal": "pages"] {
            try bed.put("study.db\(ending)", text)
        }
        try bed.put("other-wal", "no journal")
        try bed.sync(["a.py": "1", "study.db": Self.second])
        #expect(try bed.tree() == ["a.py": "1", "study.db": Self.second, "other-wal": "no journal"])
        let expected: [String: Set<String>] = [
            "study.db": [trained], "study.db-wal": ["trials"], "study.db-shm": ["memory"],
            "study.db-journal": ["pages"],
        ]
        #expect(try bed.replaced() == expected)
    }

    @Test("a journal of the laptop does not come beside the training's database")
    func laptopsJournal() throws {
        try bed.sync(["study.db": Self.first, "study.db-wal": "laptop"])
        // SQLite removes the journal once its content is in the database.
        try bed.put("study.db", "SQLite format 3\0 of the training")
        try File.remove("\(bed.work)/study.db-wal")
        for wal in ["laptop", "laptop, longer"] {
            try bed.sync(["study.db": Self.first, "study.db-wal": wal])
            #expect(try bed.tree() == ["study.db": "SQLite format 3\0 of the training"])
        }
    }

    @Test("the laptop's database comes with its journal, and the training's files move")
    func bothJournals() throws {
        try bed.put("study.db-wal", "trials")
        try bed.sync(["study.db": Self.second, "study.db-wal": "laptop"])
        #expect(try bed.tree() == ["study.db": Self.second, "study.db-wal": "laptop"])
        #expect(try bed.replaced() == ["study.db": [Self.first], "study.db-wal": ["trials"]])
    }

    @Test("a database that the laptop removed stays with its journal")
    func removed() throws {
        try bed.put("study.db-wal", "trials")
        try bed.sync(["a.py": "1"])
        #expect(try bed.tree() == ["a.py": "1", "study.db": Self.first, "study.db-wal": "trials"])
    }

    @Test("other files follow the code whatever lies beside them")
    func noDatabase() throws {
        try bed.put("a.py-journal", "notes")
        try bed.sync(["a.py": "2", "study.db": Self.first])
        #expect(try bed.tree() == ["a.py": "2", "study.db": Self.first, "a.py-journal": "notes"])
        #expect(try bed.replaced().isEmpty)
    }

    @Test("a sync that is stopped at any step and repeated moves all files of a database")
    func stopped() throws {
        for limit in 0... {
            try bed.removeRun()
            try bed.sync(["a.py": "1", "study.db": Self.first])
            try bed.put("study.db", "SQLite format 3\0 of the training")
            try bed.put("study.db-wal", "trials")
            let code = try bed.pack(["a.py": "1", "study.db": Self.second])
            let isStopped = try bed.isStopped(code, at: limit)
            try bed.sync(code)
            #expect(try bed.tree() == ["a.py": "1", "study.db": Self.second], "\(limit)")
            let replaced = try bed.replaced()
            #expect(replaced["study.db"] == ["SQLite format 3\0 of the training"], "\(limit)")
            #expect(replaced["study.db-wal"] == ["trials"], "\(limit)")
            if !isStopped { break }
        }
    }
}
