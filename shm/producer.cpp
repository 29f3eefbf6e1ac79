#include "shm/producer.hpp"

#include <exception>

#include "common/error.hpp"
#include "shm/append_end.hpp"
#include "shm/group_table.hpp"

namespace ringpipe {
namespace {

append_end& opened(const std::unique_ptr<append_end>& end) {
    if (!end) [[unlikely]] {
        throw error{errc::closed, "cannot send: this producer was closed; make a new one"};
    }
    return *end;
}

}  // namespace

producer::producer(const ring& to, const producer_options& options)
    : end_{std::make_unique<append_end>(to.shared(), options)},
      exceptions_at_start_{std::uncaught_exceptions()} {}

producer::producer(producer&&) noexcept = default;

producer& producer::operator=(producer&& other) noexcept {
    if (this != &other) {
        close();
        end_ = std::move(other.end_);
        exceptions_at_start_ = other.exceptions_at_start_;
    }
    return *this;
}

producer::~producer() {
    if (std::uncaught_exceptions() > exceptions_at_start_) {
        abandon();
    } else {
        close();
    }
}

bool producer::send_until(std::span<const std::byte> payload, deadline until) {
    return opened(end_).send_until(payload, until);
}

bool producer::send_batch_until(batch payloads, deadline until) {
    return opened(end_).send_batch_until(payloads, {}, until);
}

bool producer::send_until(std::span<const std::byte> payload, std::uint64_t id, deadline until) {
    return opened(end_).send_batch_until({&payload, 1}, {&id, 1}, until);
}

bool producer::send_batch_until(batch payloads, std::span<const std::uint64_t> ids,
                                deadline until) {
    return opened(end_).send_batch_until(payloads, ids, until);
}

std::optional<std::uint64_t> producer::last_id() const { return opened(end_).last_id(); }

bool producer::has_room_until(std::uint64_t space, deadline until) {
    return opened(end_).has_room_until(space, until);
}

std::optional<wait_point> producer::announce_wait(std::uint64_t space) {
    return opened(end_).announce_wait(space);
}

void producer::stop_waiting() { opened(end_).leave_line(); }

loan producer::lend_until(std::size_t size, deadline until) {
    return opened(end_).lend_until(size, until);
}

void producer::close() noexcept {
    if (!end_) { return; }
    if (end_->has_open_loans()) { end_->mark_truncated(); }
    append_end::leave(std::move(end_));
}

void producer::abandon() noexcept {
    if (!end_) { return; }
    if (!end_->forked()) { end_->mark_truncated(); }
    append_end::leave(std::move(end_));
}

}  // namespace ringpipe
