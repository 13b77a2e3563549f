/* SPDX-License-Identifier: Apache-2.0 */
/* FNV-1a, 64 bits (RFC 9923): the hash behind every id that stands for a content. Anywhere. */
#ifndef LH_COMMON_FNV_H
#define LH_COMMON_FNV_H

#include <stddef.h>
#include <stdint.h>

#define LH_FNV_START 0xcbf29ce484222325u

/* The hash of what was hashed before (LH_FNV_START: nothing) and these bytes. */
static inline uint64_t lh_fnv(uint64_t hash, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ at[i]) * 0x100000001b3u;
    return hash;
}

#endif
