#include "CAuthorities.h"

// The bundle is also named here, so that a newer one makes the build compile this file again.
#if !__has_include("/etc/ssl/certs/ca-certificates.crt")
#error "the package ca-certificates is not installed: make setup"
#endif

__asm__(
    ".pushsection .rodata\n"
    "authorities_begin:\n"
    ".incbin \"/etc/ssl/certs/ca-certificates.crt\"\n"
    "authorities_end:\n"
    ".popsection\n");

extern const unsigned char authorities_begin[], authorities_end[];

const unsigned char *authorities_bytes(void) { return authorities_begin; }
size_t authorities_count(void) { return authorities_end - authorities_begin; }
