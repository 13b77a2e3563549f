/* SPDX-License-Identifier: Apache-2.0 */
/* Socket addresses as text. Runs anywhere, also in the watchdog: no malloc, no stdio, no locale, no
 * thread-local storage, which inet_ntop() does not promise. */
#include "common/peer_text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/text.h"

#define GROUPS 8 /* of 16 bits in an IPv6 address */

static void add_ipv4(struct lh_text *text, const uint8_t bytes[4])
{
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            lh_text_char(text, '.');
        lh_text_u64(text, bytes[i]);
    }
}

static void add_port(struct lh_text *text, in_port_t port)
{
    lh_text_char(text, ':');
    lh_text_u64(text, ntohs(port));
}

/* RFC 5952, 4.2: the first longest run of at least two zero groups is what `::` stands for. */
static void find_zeros(const uint16_t groups[GROUPS], int *start, int *length)
{
    *start = GROUPS;
    *length = 1;
    for (int i = 0; i < GROUPS; i++) {
        int end = i;
        while (end < GROUPS && groups[end] == 0)
            end++;
        if (end - i > *length) {
            *start = i;
            *length = end - i;
        }
    }
}

static void add_ipv6(struct lh_text *text, const struct in6_addr *address)
{
    uint16_t groups[GROUPS];
    for (int i = 0; i < GROUPS; i++)
        groups[i] = (uint16_t)(address->s6_addr[2 * i] << 8 | address->s6_addr[2 * i + 1]);
    if (IN6_IS_ADDR_V4MAPPED(address)) {
        lh_text_string(text, "::ffff:");
        add_ipv4(text, address->s6_addr + 12);
        return;
    }
    int zeros;
    int zeros_length;
    find_zeros(groups, &zeros, &zeros_length);
    for (int i = 0; i < GROUPS; i++) {
        if (i == zeros) {
            lh_text_string(text, "::");
            i += zeros_length - 1;
            continue;
        }
        if (i > 0 && i != zeros + zeros_length)
            lh_text_char(text, ':');
        lh_text_hex(text, groups[i]);
    }
}

static bool inet_text(struct lh_text *text, const struct lh_resource *resource)
{
    struct sockaddr_in address;
    if (resource->length < sizeof(address))
        return false;
    memcpy(&address, resource->text, sizeof(address));
    add_ipv4(text, (const uint8_t *)&address.sin_addr);
    add_port(text, address.sin_port);
    return true;
}

static bool inet6_text(struct lh_text *text, const struct lh_resource *resource)
{
    struct sockaddr_in6 address;
    if (resource->length < sizeof(address))
        return false;
    memcpy(&address, resource->text, sizeof(address));
    lh_text_char(text, '[');
    add_ipv6(text, &address.sin6_addr);
    if (address.sin6_scope_id != 0) {
        lh_text_char(text, '%');
        lh_text_u64(text, address.sin6_scope_id);
    }
    lh_text_char(text, ']');
    add_port(text, address.sin6_port);
    return true;
}

/* unix(7): a path up to its NUL or the end; after a first NUL an abstract name of all the bytes
 * that are left, where a further NUL is shown as @ too; nothing for a socket without a name. */
static bool unix_text(struct lh_text *text, const struct lh_resource *resource)
{
    size_t start = offsetof(struct sockaddr_un, sun_path);
    size_t length = resource->length;
    if (length <= start)
        return false;
    if (length > sizeof(struct sockaddr_un))
        length = sizeof(struct sockaddr_un);
    bool abstract = resource->text[start] == '\0';
    if (abstract && length == start + 1)
        return false;
    for (size_t i = start; i < length; i++) {
        char c = resource->text[i];
        if (c == '\0' && !abstract)
            break;
        lh_text_char(text, c == '\0' ? '@' : c);
    }
    return true;
}

size_t lh_address_text(int family, const void *address, char *buf, size_t size)
{
    struct lh_text text;
    lh_text_init(&text, buf, size);
    if (family == AF_INET)
        add_ipv4(&text, address);
    else if (family == AF_INET6)
        add_ipv6(&text, address);
    return strlen(buf);
}

bool lh_peer_text(const struct lh_resource *resource, char *buf, size_t size)
{
    sa_family_t family;
    struct lh_text text;
    lh_text_init(&text, buf, size);
    if (resource->kind != LH_RESOURCE_SOCKET || resource->length < sizeof(family))
        return false;
    memcpy(&family, resource->text, sizeof(family));
    switch (family) {
    case AF_INET:
        return inet_text(&text, resource);
    case AF_INET6:
        return inet6_text(&text, resource);
    case AF_UNIX:
        return unix_text(&text, resource);
    default:
        return false;
    }
}
