internal import CCurl

#if canImport(Darwin)
private import Darwin
#elseif canImport(Glibc)
private import Glibc
#elseif canImport(Musl)
private import Musl
#endif

/// Returns a socket that no child process inherits.
///
/// A child that inherits libcurl's own socket keeps the connection open, and the server does not see it close.
func openSocket(_ address: curl_sockaddr) -> curl_socket_t {
    #if canImport(Darwin)
    let socket = socket(address.family, address.socktype, address.protocol)
    if socket >= 0 { _ = fcntl(socket, F_SETFD, FD_CLOEXEC) }
    return socket
    #else
    return socket(address.family, address.socktype | Int32(SOCK_CLOEXEC.rawValue), address.protocol)
    #endif
}
