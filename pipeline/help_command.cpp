#include <fmt/core.h>

#include <memory>
#include <string>

#include "common/error.hpp"
#include "common/quote.hpp"
#include "pipeline/commands.hpp"

namespace ringpipe::pipeline {

command add_help(CLI::App& app) {
    auto* sub = app.add_subcommand("help", "Says what the program or one of its commands does");
    auto topic = std::make_shared<std::string>();
    sub->add_option("COMMAND", *topic, "One of the commands");
    return {
        sub, [&app, topic] {
            try {
                fmt::print("{}", topic->empty() ? app.help()
                                                : app.get_subcommand(*topic)->help(app.get_name()));
            } catch (const CLI::OptionNotFound&) {
                throw error{
                    errc::invalid_argument,
                    fmt::format("there is no command {}; see ringpipe --help", in_quotes(*topic))};
            }
            return 0;
        }};
}

}  // namespace ringpipe::pipeline
