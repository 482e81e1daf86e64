// ISA-L's CRC32C, the digest of iSCSI (RFC 7143 section 13.1).
#pragma once
#include <isa-l/crc.h>
