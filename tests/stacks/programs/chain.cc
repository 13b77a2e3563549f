/* SPDX-License-Identifier: Apache-2.0 */
// The ways of C++ down to a wait: templates, lambdas, virtual functions, constructors.
#include <functional>
#include <sys/epoll.h>
#include <unistd.h>
#include <vector>

namespace
{

volatile int sink;

__attribute__((noinline)) ssize_t wait_for_a_byte()
{
    char byte = 0;
    ssize_t count = read(STDIN_FILENO, &byte, 1);
    sink = byte;
    return count;
}

} // namespace

namespace shop
{

struct Handler {
    virtual ~Handler() = default;
    virtual int handle(int request) = 0;
};

template <typename Number> class Store
{
  public:
    // The call is on the constructor's own line: gcc marks the place of one in the body as no
    // statement (is_stmt), which gdb passes over for the line before.
    explicit Store(Number first) : first_(first + static_cast<Number>(wait_for_a_byte()))
    {
    }
    template <typename Key> __attribute__((noinline)) Number find(const Key &key) const
    {
        Store<Key> other(key);
        return first_ + static_cast<Number>(other.size() + sink);
    }
    int size() const
    {
        return static_cast<int>(first_);
    }

  private:
    Number first_;
};

template <typename Function, int Times> int repeat(Function function)
{
    int total = 0;
    for (int i = 0; i < Times; i++)
        total += function(i);
    return total + sink;
}

class Price final : public Handler
{
  public:
    int handle(int request) override
    {
        auto ask = [&](int number) { return store_.find<long>(number) + request + sink; };
        return repeat<decltype(ask), 1>(ask) + sink;
    }
    int operator()(int request)
    {
        return handle(request) + sink;
    }

  private:
    Store<int> &store_ = shared();
    static Store<int> &shared();
};

static Store<int> *made;
Store<int> &Price::shared()
{
    return *made;
}

} // namespace shop

__attribute__((noinline)) static int run(const std::vector<std::function<int(int)>> &steps)
{
    int total = 0;
    for (const auto &step : steps)
        total += step(1);
    return total + sink;
}

int main()
{
    epoll_event event;
    epoll_wait(epoll_create1(EPOLL_CLOEXEC), &event, 1, 0);
    alignas(shop::Store<int>) static char room[sizeof(shop::Store<int>)] = {7};
    shop::made = reinterpret_cast<shop::Store<int> *>(room);
    shop::Price price;
    shop::Handler *handler = &price;
    std::vector<std::function<int(int)>> steps;
    steps.emplace_back([handler](int request) { return handler->handle(request) + sink; });
    return run(steps) + sink == -1;
}
