#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/bus_error.hpp"
#include "common/error.hpp"
#include "common/quote.hpp"
#include "common/shutdown.hpp"
#include "common/units.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/dead_letters.hpp"
#include "pipeline/say.hpp"
#include "pipeline/view/status_json.hpp"
#include "pipeline/view/status_text.hpp"
#include "shm/dead_letter.hpp"
#include "shm/producer.hpp"

namespace ringpipe::pipeline {
namespace {

using namespace std::chrono_literals;

struct dead_options {
    std::string ring;
    bool json = false;
    bool replay = false;
    bool drop = false;
};

// A letter as it is listed; of a foreign message in the dead-letter ring, only its size is known.
struct listed {
    bool readable = false;
    dead_letter letter;  // without its payload, which does not outlive the look
    std::uint64_t size = 0;
    std::string beginning;  // of the payload, escaped
};

// As in C, and nothing beyond ASCII: a binary payload cannot do anything to a terminal.
std::string escaped(std::span<const std::byte> bytes) {
    std::string out;
    for (const auto byte : bytes) {
        const char c = static_cast<char>(byte);
        switch (c) {
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            case '\\': out += "\\\\"; break;
            default:
                if (c >= 0x20 && c < 0x7f) {
                    out += c;
                } else {
                    out += fmt::format("\\x{:02x}", std::to_integer<unsigned>(byte));
                }
        }
    }
    return out;
}

listed to_list(const message& found) {
    constexpr std::size_t shown = 48;
    listed one;
    auto payload = found.payload();
    if (auto letter = read_dead_letter(payload)) {
        payload = letter->payload;
        one.readable = true;
        one.letter = std::move(*letter);
        one.letter.payload = {};
    }
    one.size = payload.size();
    one.beginning = escaped(payload.first(std::min(payload.size(), shown)));
    if (payload.size() > shown) { one.beginning += "..."; }
    return one;
}

std::string local_time(std::chrono::system_clock::time_point when) {
    return fmt::format("{:%Y-%m-%d %H:%M:%S}",
                       fmt::localtime(std::chrono::system_clock::to_time_t(when)));
}

std::string utc(std::chrono::system_clock::time_point when) {
    const auto ms =
        std::chrono::floor<std::chrono::milliseconds>(when.time_since_epoch()).count() % 1000;
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                       fmt::gmtime(std::chrono::system_clock::to_time_t(when)), ms);
}

void print_json(const std::vector<listed>& letters) {
    auto out = nlohmann::ordered_json::array();
    for (const auto& one : letters) {
        nlohmann::ordered_json about;
        if (one.readable) {
            about = {{"sequence", one.letter.sequence},
                     {"attempts", one.letter.attempts},
                     {"when", utc(one.letter.when)},
                     {"why", one.letter.why}};
        } else {
            about = {{"error", "not a dead letter"}};
        }
        about["size_bytes"] = one.size;
        about["payload_begin"] = one.beginning;
        out.push_back(std::move(about));
    }
    fmt::print("{}\n", dump(out));
}

void print_table(const std::vector<listed>& letters) {
    std::vector<row> rows{{"SEQUENCE", "ATTEMPTS", "WHEN", "SIZE", "WHY", "BEGINS WITH"}};
    for (const auto& one : letters) {
        if (one.readable) {
            rows.push_back({std::to_string(one.letter.sequence),
                            std::to_string(one.letter.attempts), local_time(one.letter.when),
                            format_bytes(one.size), printable(one.letter.why), one.beginning});
        } else {
            rows.push_back(
                {"-", "-", "-", format_bytes(one.size), "not a dead letter", one.beginning});
        }
    }
    fmt::print("{}", table(rows, {0, 1, 3}));
}

int list(const std::optional<dead_letters>& from, const dead_options& options) {
    std::vector<listed> letters;
    if (from) {
        from->look([&](const message& found) { letters.push_back(to_list(found)); });
    }
    if (options.json) {
        print_json(letters);
    } else if (letters.empty()) {
        say("ring {} has no dead letters", options.ring);
    } else {
        print_table(letters);
    }
    return 0;
}

// False: a stop was requested while there was no room.
bool send(producer& out, std::span<const std::byte> payload, const std::string& ring) {
    const auto impatient = after(1s);
    bool told = false;
    while (!stop_requested()) {
        if (out.send_for(payload, 100ms)) { return true; }
        if (!told && clock::now() >= impatient) {
            say("ring {} is full; waiting for its consumers", ring);
            told = true;
        }
    }
    return false;
}

std::string counted(std::uint64_t letters) {
    return format_count(letters) + (letters == 1 ? " dead letter" : " dead letters");
}

// Those that were there at the start; returns how many.
std::uint64_t replay(const dead_letters& from, const ring& to) {
    std::uint64_t sent = 0;
    producer_options endpoint;
    endpoint.name = "ringpipe dead";
    producer out{to, endpoint};
    try {
        from.take([&](const message& found) {
            const auto letter = read_dead_letter(found.payload());
            if (!letter) {
                throw error{errc::malformed_input,
                            fmt::format("cannot replay message {} of ring {}: it is not a dead "
                                        "letter; --drop removes all that is there",
                                        found.sequence(), from.where().name())};
            }
            if (!send(out, letter->payload, to.name())) { return false; }
            ++sent;
            return true;
        });
    } catch (...) {
        out.close();  // what is not sent is not missing from the stream: it is a dead letter still
        throw;
    }
    return sent;
}

int replay(const std::optional<dead_letters>& from, const dead_options& options) {
    const auto to = ring::open(options.ring, after(1s));
    // A death between a send and its acknowledgement sends the letter twice rather than never. Who
    // only asks us to stop must not do that, nor truncate the stream.
    install_stop_signals();
    const auto sent = from ? replay(*from, to) : 0;
    say("{} sent to ring {}", counted(sent), options.ring);
    return stop_requested() ? exit_code_for_signal(stop_signal()) : 0;
}

int drop(const std::optional<dead_letters>& from, const dead_options& options) {
    std::uint64_t dropped = 0;
    if (from) {
        from->take([&](const message&) {
            ++dropped;
            return true;
        });
    }
    say("{} of ring {} dropped", counted(dropped), options.ring);
    return 0;
}

int dead(const dead_options& options) {
    install_bus_error_handler(program_name, dead_letter_ring_of(options.ring));
    const auto letters = dead_letters::of(options.ring);
    if (!letters) { (void)ring::open(options.ring, after(1s)); }  // is there one at all?
    if (options.replay) { return replay(letters, options); }
    if (options.drop) { return drop(letters, options); }
    return list(letters, options);
}

}  // namespace

command add_dead(CLI::App& app) {
    auto* sub = app.add_subcommand("dead", "Lists the messages that consumers failed with");
    auto options = std::make_shared<dead_options>();
    sub->add_option("RING", options->ring, "Its name, or the path of its file")
        ->required()
        ->type_name("");
    auto* json_flag = sub->add_flag("--json", options->json, "As a JSON array");
    auto* replay_flag = sub->add_flag("--replay", options->replay,
                                      "Send them to the ring once more, in their order")
                            ->excludes(json_flag);
    sub->add_flag("--drop", options->drop, "Remove them")
        ->excludes(json_flag)
        ->excludes(replay_flag);
    sub->footer(
        "A message goes to the ring RING.dead when its consumers have died, or the command of\n"
        "ringpipe-consumer --exec has failed, for --max-attempts times (5). It stays there until\n"
        "it is replayed or dropped; to list it changes nothing.\n"
        "\n"
        "Examples:\n"
        "  ringpipe dead jobs\n"
        "  ringpipe dead jobs --json | jq -r '.[].why' | sort | uniq -c\n"
        "  ringpipe dead jobs --replay         after the reason is mended");
    return {sub, [options] { return dead(*options); }};
}

}  // namespace ringpipe::pipeline
