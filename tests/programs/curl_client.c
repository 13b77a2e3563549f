/* SPDX-License-Identifier: Apache-2.0 */
/* A client that is no event loop, by libcurl, whose transfers poll a wake-up beside their socket.
 *
 *   curl_client URL TIMES
 *
 * The few functions are declared here: linking needs libcurl only, not its headers. */
/* link: -l:libcurl.so.4 */
#include <stdlib.h>

enum { CURLOPT_WRITEFUNCTION = 20011, CURLOPT_URL = 10002 };
extern void *curl_easy_init(void);
extern int curl_easy_setopt(void *easy, int option, ...);
extern int curl_easy_perform(void *easy);
extern void curl_easy_cleanup(void *easy);

static size_t drop(const char *data, size_t size, size_t count, void *unused)
{
    (void)data;
    (void)unused;
    return size * count;
}

int main(int argc, char **argv)
{
    void *easy = curl_easy_init();
    if (argc != 3 || easy == NULL)
        return 2;
    curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
    for (int i = 0; i < atoi(argv[2]); i++)
        if (curl_easy_perform(easy) != 0)
            return 1;
    curl_easy_cleanup(easy);
    return 0;
}
