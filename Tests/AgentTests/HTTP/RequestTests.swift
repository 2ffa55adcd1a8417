import Shared
import Testing

@testable import Agent

@Suite struct RequestTests {
    private static let targets: [(String, String, [String: String])] = [
        ("/v1/log", "/v1/log", [:]), ("/v1/log?", "/v1/log", [:]),
        ("/v1/log?follow=1&from=20", "/v1/log", ["follow": "1", "from": "20"]),
        ("/v1/log?follow", "/v1/log", ["follow": ""]), ("/v1/log?a=b=c", "/v1/log", ["a": "b=c"]),
        ("/v1/log?a=1&&b=2&", "/v1/log", ["a": "1", "b": "2"]), ("/v1/log?a=1&a=2", "/v1/log", ["a": "2"]),
        ("/v1/log?a=?", "/v1/log", ["a": "?"]), ("?a=1", "", ["a": "1"]), ("", "", [:]), ("/x?=1", "/x", ["": "1"]),
        ("/x?=", "/x", ["": ""]),
    ]

    @Test("the target of a request is split into its path and its query", arguments: targets)
    func target(_ target: String, _ path: String, _ query: [String: String]) {
        let request = Request(method: "GET", target: target)
        #expect(request.path == path)
        #expect(request.query == query)
    }

    @Test("a number in a query is read, and a value that is none is an error")
    func numbers() throws {
        let request = Request(method: "GET", target: "/?from=20&none=&word=x&negative=-1&huge=9223372036854775808")
        #expect(try request.number("from") == 20)
        #expect(try request.number("absent") == nil)
        for name in ["none", "word", "negative", "huge"] {
            let error = #expect(throws: APIError.self) { try request.number(name) }
            #expect(error?.code == .badRequest)
        }
    }
}
