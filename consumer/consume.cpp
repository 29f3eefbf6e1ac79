#include "consumer/consume.hpp"

#include <sysexits.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/open_file.hpp"
#include "common/program.hpp"
#include "common/progress.hpp"
#include "common/quote.hpp"
#include "common/shutdown.hpp"
#include "common/unique_fd.hpp"
#include "consumer/exec_messages.hpp"
#include "consumer/intake.hpp"
#include "consumer/verify_messages.hpp"
#include "consumer/write_messages.hpp"

namespace ringpipe::consumer_program {
namespace {

void print_stats(const options& with, const progress_meter& meter, const intake& from,
                 const verifier* verified) {
    nlohmann::ordered_json line{
        {"ring", with.ring},
        {"group", with.endpoint.group},
        {"messages", meter.messages()},
        {"bytes", meter.bytes()},
        {"seconds", std::chrono::duration<double>(meter.elapsed()).count()},
        {"redelivered", from.redelivered()},
        {"dead_letters", from.dead_letters()},
    };
    if (verified != nullptr) {
        line["damaged"] = verified->damaged();
        line["missing"] = verified->missing();
    }
    line["ended"] = to_string(from.why());
    const auto text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    std::fprintf(stderr, "%s\n", text.c_str());
}

void write_to(const std::string& path, unique_fd output, intake& from, const framing& how) {
    write_messages(from, output.get(), how, output_name(path));
    close_output(std::move(output), path);
}

int exit_code_of(ending why) {
    switch (why) {
        case ending::clean:
        case ending::count:
        case ending::closed_output: return EXIT_SUCCESS;
        case ending::truncated: return exit_code_truncated;
        case ending::timeout: return EX_TEMPFAIL;
        case ending::signal: return exit_code_for_signal(stop_signal());
    }
    return EX_SOFTWARE;
}

void tell_ending(const options& with, const intake& from) {
    const bool over = from.why() == ending::clean || from.why() == ending::truncated;
    if (over && !from.received_any() && stderr_is_terminal()) {
        tell_user(program_name,
                  "the stream had ended already, and nothing was left: a new producer reopens it; "
                  "`ringpipe rm " +
                      in_quotes(with.ring) + "` starts anew; --follow waits");
    }
    if (from.why() == ending::truncated) {
        tell_user(program_name,
                  "the stream is truncated: a producer died or gave up before its "
                  "end; what it had sent is here");
    }
    if (from.why() == ending::timeout) {
        tell_user(program_name, "nothing came in the time of --timeout; check the producer");
    }
}

}  // namespace

int consume(const options& with) {
    // Before the ring, so that a path that cannot be leaves none behind.
    const bool writes = with.exec.empty() && !with.verify;
    unique_fd output;
    if (writes) { output = open_output(with.to); }

    const auto where = ring::open_or_create(with.ring, with.creation);
    std::optional<verifier> verified;
    if (with.verify) { verified.emplace(begins_at_the_beginning(where, with.endpoint)); }
    progress_meter meter{std::string{program_name}, with.progress};
    intake from{where, with, meter};

    if (writes) {
        write_to(with.to, std::move(output), from, with.framing);
    } else if (verified) {
        verify_messages(from, where, with.endpoint.group, *verified);
    } else {
        exec_messages(from, with);
    }
    from.close();
    meter.finish();

    tell_ending(with, from);
    if (verified) { tell_user(program_name, verified->report()); }
    if (with.stats) { print_stats(with, meter, from, verified ? &*verified : nullptr); }
    return verified && !verified->good() ? EX_DATAERR : exit_code_of(from.why());
}

}  // namespace ringpipe::consumer_program
