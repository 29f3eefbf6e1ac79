// For `prepare` and `act` of operations on a ring: what was sent before, and what producers and
// consumers do between the marks. See every_instruction.hpp.
#pragma once

#include "tests/crash/every_instruction.hpp"

namespace ringpipe::test {

// ---------------------------------------------------------------- prepare

// A ring with these groups, and what a producer that has left again sent to it.
inline story sent_before(const std::string& name, const std::vector<std::string>& texts,
                         const std::vector<std::string>& groups = {"work", "all"}) {
    const auto made = ring::create(name, stepping_ring());
    for (const auto& group : groups) { made.add_group(group); }
    producer out{made};
    send_all(out, texts);
    return {texts, {}};
}

using preparation = std::function<story(const std::string& ring)>;

inline preparation having_sent(const std::vector<std::string>& texts,
                               const std::vector<std::vector<std::string>>& offered = {}) {
    return [=](const std::string& name) {
        auto before = sent_before(name, texts);
        before.offered = offered;
        return before;
    };
}

inline std::string path_of(const std::string& name) { return "/dev/shm/ringpipe." + name; }

// ---------------------------------------------------------------- act

// A producer that is attached already.
template <class Do>
auto with_producer(Do act) {
    return [act](const std::string& name, const marks& mark) {
        producer out{ring::open(name)};
        mark.begin();
        act(out, mark.note());
        mark.end();
    };
}

inline auto send(const std::string& text) {
    return with_producer([text](producer& out, notes& told) {
        out.send(bytes(text));
        ++told.returned;
    });
}

inline consumer member_of(const std::string& group, const std::string& name,
                          group_kind kind = group_kind::durable) {
    consumer_options options;
    options.group = group;
    options.kind = kind;
    options.max_attempts = 0;
    return consumer{ring::open(name), options};
}

// Received, told, and given away to nobody.
inline message receive(consumer& in, const marks& mark) {
    auto m = in.try_receive();
    if (m) { ++mark.note().received; }
    return m;
}

inline void acknowledge(consumer& in, const message& m, const marks& mark) {
    mark.note().acknowledging = mark.note().received.load();
    in.acknowledge(m);
    mark.note().acknowledged = mark.note().received.load();
}

inline void take_all(consumer& in, const marks& mark) {
    while (const auto m = receive(in, mark)) { acknowledge(in, m, mark); }
}

inline void attach_producer(const std::string& name, const marks& mark) {
    const auto opened = ring::open(name);
    mark.begin();
    const producer out{opened};
    ++mark.note().returned;
    mark.end();
}

inline void attach_consumer(const std::string& name, const marks& mark) {
    mark.begin();
    const auto in = member_of("work", name);
    ++mark.note().returned;
    mark.end();
}

}  // namespace ringpipe::test
