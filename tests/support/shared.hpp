// A value that a test shares with the children it forks.
#pragma once

#include <sys/mman.h>

#include <new>

namespace ringpipe::test {

template <class T>
class shared {
  public:
    shared() {
        void* page =
            ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED) { throw std::bad_alloc{}; }
        value_ = new (page) T{};
    }
    shared(const shared&) = delete;
    shared& operator=(const shared&) = delete;
    ~shared() { ::munmap(value_, sizeof(T)); }

    T* operator->() const { return value_; }
    T& operator*() const { return *value_; }

  private:
    T* value_;
};

}  // namespace ringpipe::test
