// All rings, spaces and pools in the terms of Prometheus, looked at whenever somebody asks.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <mutex>
#include <vector>

#include "pipeline/view/observation.hpp"

namespace ringpipe::pipeline {

class exposition : public prometheus::Collectable {
  public:
    // Thread-safe. Never throws: what cannot be read is ringpipe_ring_readable 0 (_space_, _pool_).
    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

  private:
    mutable std::mutex mutex_;
    mutable observer observer_;
};

}  // namespace ringpipe::pipeline
