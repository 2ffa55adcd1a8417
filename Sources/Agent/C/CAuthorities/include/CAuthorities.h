/// The certificate authorities of the machine that built the program, in PEM: an image may have none.
#pragma once
#include <stddef.h>

const unsigned char *authorities_bytes(void);
size_t authorities_count(void);
