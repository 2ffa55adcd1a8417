import Testing

@testable import RunPod

@Suite struct EventReaderTests {
    @Test("events are whole however the bytes are cut", arguments: [1, 3, 1000])
    func cuts(_ size: Int) {
        let bytes = Array("id: 1/1\ndata: {\"line\":\"a\"}\n\nid: 1/2\r\ndata:b\r\n\r\ndata: half".utf8)
        var reader = EventReader()
        var events: [String] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            events += reader.feed(Array(bytes[start..<min(start + size, bytes.count)]))
        }
        #expect(events == [#"{"line":"a"}"#, "b"])
    }
}
