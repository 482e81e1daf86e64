// The kernel interfaces that Swift cannot import by itself. One header per concern, no logic.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // before any system header
#endif
// X/Open gives fd_set's member another name than Swift's Glibc module sees, and a program may hold
// only one definition of a type: take fd_set without it.
#include <features.h>
#undef __USE_XOPEN
#include <sys/select.h>
#define __USE_XOPEN 1
#include "CLinuxAIO.h"
#include "CLinuxChecksum.h"
#include "CLinuxFile.h"
#include "CLinuxRing.h"
#include "CLinuxSocket.h"
#include "CLinuxThread.h"
