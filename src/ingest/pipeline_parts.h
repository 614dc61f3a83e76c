/// Internal to the pipeline: what travels between its threads.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "ingest/pipeline.h"

namespace playhead::ingest {

/// Groups and cuts waiting for one worker.
inline constexpr std::size_t kTasksWaitingMax = 256;

struct Pipeline::Cut {
    CutRecord record;
    journal::Position next;
    bool wants_snapshot = false;
    std::vector<model::RowBlock> parts;  ///< one per worker
    std::array<std::string, kPartitions> snapshots;
    std::atomic<std::size_t> workers_left{0};
};

/// Either a group of requests or a cut.
struct Pipeline::Task {
    std::shared_ptr<std::vector<std::unique_ptr<DecodedRequest>>> requests;
    std::shared_ptr<Cut> cut;
};

struct Pipeline::Worker {
    explicit Worker(std::size_t own_index) : index(own_index), tasks(kTasksWaitingMax) {}
    std::size_t index;
    BoundedQueue<Task> tasks;
    std::atomic<std::size_t> sessions_open{0};
    std::thread thread;
};

}  // namespace playhead::ingest
