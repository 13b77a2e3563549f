/* SPDX-License-Identifier: Apache-2.0 */
// A module that sleeps for 150 ms: what is to be known of it stands in its file alone.
#include <ctime>

extern "C" void nap_in_module()
{
    const timespec time = {0, 150000000};
    nanosleep(&time, nullptr);
}
