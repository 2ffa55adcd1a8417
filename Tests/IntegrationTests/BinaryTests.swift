import Foundation
import Shared
import Testing

/// The agent is one file that runs anywhere: static, small, without the libraries that would make it large.
@Suite struct BinaryTests {
    private static let bytes = (try? File.read(Programs.agent)) ?? []

    @Test func itIsStatic() throws {
        let elf = try #require(ELF(Self.bytes))
        #expect(elf.segmentTypes.contains(1))
        #expect(!elf.segmentTypes.contains(2), "a dynamic section")
        #expect(!elf.segmentTypes.contains(3), "an interpreter")
    }

    @Test func itIsSmall() {
        #expect(!Self.bytes.isEmpty)
        #expect(Self.bytes.count <= 30_000_000)
    }

    /// Names that a static program has if it holds ICU or all of Foundation: of data, of C functions, of Swift types.
    /// A program of one line with `import Foundation` has every one of them, with `import FoundationEssentials` none.
    @Test(arguments: ["icudt", "uprv_", "CoreFoundation", "_CFRuntime", "NSCalendar", "ISO8601DateFormatter"])
    func itHoldsNo(name: String) {
        #expect(Data(Self.bytes).range(of: Data(name.utf8)) == nil)
    }
}
