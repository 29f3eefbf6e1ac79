#include "producer/produce.hpp"

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/open_file.hpp"
#include "common/progress.hpp"
#include "common/shutdown.hpp"
#include "common/unique_fd.hpp"
#include "producer/outlet.hpp"
#include "producer/send_frames.hpp"
#include "producer/send_generated.hpp"

namespace ringpipe::producer_program {
namespace {

void print_stats(const options& with, const progress_meter& meter, const char* ended) {
    const nlohmann::ordered_json line{
        {"ring", with.ring},
        {"messages", meter.messages()},
        {"bytes", meter.bytes()},
        {"seconds", std::chrono::duration<double>(meter.elapsed()).count()},
        {"ended", ended},
    };
    const auto text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    std::fprintf(stderr, "%s\n", text.c_str());
}

}  // namespace

int produce(const options& with) {
    // Before the ring, so that a mistyped name leaves none behind.
    unique_fd first;
    if (!with.generate) { first = open_input(with.files.front()); }

    progress_meter meter{std::string{program_name}, with.progress};
    outlet to{with, meter};
    const auto finish = [&](const char* ended) {
        meter.finish();
        if (with.stats) { print_stats(with, meter, ended); }
    };
    try {
        const bool complete = with.generate ? send_generated(*with.generate, to)
                                            : send_files(with, std::move(first), to);
        if (complete) {
            to.close();
            finish(to.count_reached() ? "count" : "clean");
            return EXIT_SUCCESS;
        }
    } catch (...) {
        to.abandon();
        finish("error");
        throw;
    }
    to.abandon();
    finish("signal");
    return exit_code_for_signal(stop_signal());
}

}  // namespace ringpipe::producer_program
