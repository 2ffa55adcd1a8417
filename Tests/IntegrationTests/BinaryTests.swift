import Foundation
import Shared
import Testing

@Suite("the file pod-agent") struct BinaryTests {
    private static let bytes = (try? File.read(Programs.agent)) ?? []

    @Test("pod-agent is static: it has no dynamic section and no interpreter")
    func isStatic() throws {
        let elf = try #require(ELF(Self.bytes))
        #expect(elf.segmentTypes.contains(1))
        #expect(!elf.segmentTypes.contains(2), "a dynamic section")
        #expect(!elf.segmentTypes.contains(3), "an interpreter")
    }

    @Test("pod-agent has at most 30 MB")
    func size() {
        #expect(!Self.bytes.isEmpty)
        #expect(Self.bytes.count <= 30_000_000)
    }

    /// These are names of data, C functions and Swift types. A static program that imports `Foundation` contains all of
    /// them. One that imports `FoundationEssentials` contains none.
    @Test(
        "pod-agent contains neither ICU nor the full Foundation",
        arguments: ["icudt", "uprv_", "CoreFoundation", "_CFRuntime", "NSCalendar", "ISO8601DateFormatter"])
    func lacks(name: String) {
        #expect(Data(Self.bytes).range(of: Data(name.utf8)) == nil)
    }
}
