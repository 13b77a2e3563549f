/* SPDX-License-Identifier: Apache-2.0 */
// A C++ module that is loaded late and throws through its own frames: it needs libgcc's unwinder.
#include <dlfcn.h>
#include <stdexcept>

extern "C" void _Unwind_Resume();

// The module that _Unwind_Resume was bound to, or nullptr if an exception was not caught.
extern "C" const char *throw_and_catch()
{
    struct Guard {
        int *count;
        ~Guard()
        {
            ++*count;
        }
    };
    int cleaned = 0;
    try {
        Guard guard{&cleaned};
        throw std::runtime_error("thrown");
    } catch (const std::exception &) {
        Dl_info info;
        if (cleaned == 1 && dladdr(reinterpret_cast<void *>(&_Unwind_Resume), &info) != 0)
            return info.dli_fname;
    }
    return nullptr;
}
