// doctest's main, for every test program, which is also the worker of the pools that it makes.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "pool/worker.hpp"

int main(int argc, char** argv) {
    ringpipe::pool::run_worker_if_asked();
    return doctest::Context{argc, argv}.run();
}
