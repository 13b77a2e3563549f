/* SPDX-License-Identifier: Apache-2.0 */
/* The percent signs of a URL's path. Anywhere; touches nothing but its argument. */
#ifndef LH_COMMON_PERCENT_H
#define LH_COMMON_PERCENT_H

/* "%5Bid%5D" becomes "[id]" (RFC 3986, 2.1), in place. What no two digits follow stays as it is,
 * and so does "%00", which no path can hold. */
void lh_percent_decode(char *path);

#endif
