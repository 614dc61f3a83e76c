#include "journal/journal.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <csignal>
#include <map>
#include <mutex>
#include <thread>

#include "base/hash.h"
#include "journal/tests/journal_fixture.h"

namespace playhead::journal {
namespace {

struct Number final : Attachment {
    explicit Number(int number) : value(number) {}
    int value;
};

TEST_F(JournalTest, HandsBackWhatWasAppendedWithItsPositionAndAttachment) {
    std::vector<std::string> steps;
    Position acked;
    {
        const auto journal = open();
        journal->set_sink([&](std::span<Entry> entries) {
            for (Entry& entry : entries) {
                const auto number = static_cast<Number*>(entry.attachment.get())->value;
                steps.push_back("sink " + std::string(entry.payload) + std::to_string(number));
                EXPECT_EQ(entry.position, acked);
                EXPECT_EQ(entry.type, 7);
            }
        });
        const std::string_view parts[] = {"two ", "parts"};
        ASSERT_TRUE(journal->append(7, parts, std::make_unique<Number>(42),
                                    [&](const Result<Position>& position) {
                                        acked = position.value();
                                        steps.push_back("ack");
                                    }));
        const auto end = journal->flush();
        ASSERT_TRUE(end);
        EXPECT_EQ(end->offset, kSegmentHeaderBytes + kRecordHeaderBytes + 9);
        EXPECT_EQ(steps, (std::vector<std::string>{"ack", "sink two parts42"}));
    }
    EXPECT_EQ(acked, (Position{1, kSegmentHeaderBytes}));
    EXPECT_EQ(payloads(), std::vector<std::string>{"two parts"});
}

TEST_F(JournalTest, KeepsOneOrderForSinkAcksAndReplayUnderEightThreads) {
    constexpr int kThreads = 8;
    constexpr int kEach = 3000;
    constexpr int kRound = 1000;
    // A segment ends between groups, and a writer that gets no turn makes one group of everything:
    // so each round is on disk before the next begins, and is more than a segment.
    segment_bytes_max_ = 64 << 10;
    static_assert(kThreads * kRound * kRecordHeaderBytes > 64 << 10);
    std::vector<std::string> sunk;
    std::vector<Position> acked;
    {
        const auto journal = open();
        journal->set_sink([&](std::span<Entry> entries) {
            for (const Entry& entry : entries) sunk.emplace_back(entry.payload);
        });
        journal->set_group_listener([&](std::span<Entry> entries, const Error* error) {
            ASSERT_EQ(error, nullptr);
            for (const Entry& entry : entries) acked.push_back(entry.position);
        });
        const auto flush = [&]() noexcept { EXPECT_TRUE(journal->flush()); };
        std::barrier round_end(kThreads, flush);
        std::vector<std::thread> threads;
        for (int t = 0; t < kThreads; ++t) {
            threads.emplace_back([&, t] {
                for (int i = 0; i < kEach; ++i) {
                    if (i % kRound == 0) round_end.arrive_and_wait();
                    const auto text = std::to_string(t) + ":" + std::to_string(i);
                    EXPECT_TRUE(journal->append(1, text));
                }
            });
        }
        for (auto& thread : threads) thread.join();
    }
    ASSERT_EQ(sunk.size(), std::size_t{kThreads} * kEach);
    EXPECT_EQ(payloads(), sunk);
    EXPECT_TRUE(std::is_sorted(acked.begin(), acked.end()));
    EXPECT_EQ(acked.size(), sunk.size());
    EXPECT_GE(list_segments(directory_.path())->size(), std::size_t{kEach / kRound});
    std::map<char, int> next;
    for (const auto& text : sunk) EXPECT_EQ(std::stoi(text.substr(2)), next[text[0]]++);
}

TEST_F(JournalTest, RefusesWhenTheQueueIsFull) {
    queue_bytes_max_ = 1000;
    const auto journal = open();
    std::mutex gate;
    gate.lock();
    journal->set_sink([&](std::span<Entry>) { const std::lock_guard pass(gate); });
    std::size_t accepted = 0;
    std::optional<Error> refused;
    while (!refused && accepted < 100) {
        const auto appended = journal->append(1, std::string(88, 'x'));
        if (appended) {
            ++accepted;
        } else {
            refused = appended.error();
        }
    }
    gate.unlock();
    EXPECT_EQ(accepted, 10U);
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->code, ErrorCode::Unavailable);
    EXPECT_TRUE(journal->flush());
    EXPECT_TRUE(journal->append(1, std::string(88, 'x')));
    EXPECT_EQ(journal->stats().refused_records, 1U);
}

TEST_F(JournalTest, RefusesItsOwnTypeAndRecordsOverTheLimit) {
    auto limited = options();
    limited.record_bytes_max = 10;
    const auto journal = Journal::open(limited, clock_, metrics_);
    ASSERT_TRUE(journal);
    EXPECT_EQ((*journal)->append(0, "x").error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ((*journal)->append(1, "12345678901").error().code, ErrorCode::PayloadTooLarge);
    EXPECT_TRUE((*journal)->append(1, "1234567890"));
}

TEST_F(JournalTest, OpensOnlyOnce) {
    const auto journal = open();
    const auto second = Journal::open(options(), clock_, metrics_);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::Conflict);
    EXPECT_NE(second.error().message.find(directory_.path()), std::string::npos);
}

TEST_F(JournalTest, NamesADirectoryThatCannotBeWritten) {
    write_file(directory_.path() + "/file", "");
    auto wrong = options();
    wrong.dir = directory_.path() + "/file/journal";
    const auto journal = Journal::open(wrong, clock_, metrics_);
    ASSERT_FALSE(journal);
    EXPECT_EQ(journal.error().code, ErrorCode::Unavailable);
    EXPECT_NE(journal.error().message.find(wrong.dir), std::string::npos);
}

TEST_F(JournalTest, RefusesANewerFormat) {
    {
        ASSERT_TRUE(open()->append(1, "x"));
    }
    const std::string path = last_segment();
    std::string bytes = read_file(path);
    bytes[8] = 2;
    write_file(path, bytes);
    const auto journal = Journal::open(options(), clock_, metrics_);
    ASSERT_FALSE(journal);
    EXPECT_EQ(journal.error().code, ErrorCode::Unprocessable);
    EXPECT_NE(journal.error().message.find("newer"), std::string::npos);
}

TEST_F(JournalTest, ReplaysFromAPositionAndUpToWhatCounts) {
    const auto journal = open();
    std::vector<Position> positions;
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(journal->append(1, std::to_string(i)));
        positions.push_back(*journal->flush());
    }
    std::string found;
    const auto report = journal->replay(positions[1], {}, [&](const Record& record) {
        found += record.payload;
        return record.payload != "3";
    });
    ASSERT_TRUE(report);
    EXPECT_EQ(found, "23");
    EXPECT_EQ(report->end, positions[3]);
    EXPECT_EQ(journal->replay(positions[4], {}, [](const Record&) { return true; })->records, 0U);
}

TEST_F(JournalTest, DropsOnlyWholeSegmentsBeforeAPosition) {
    segment_bytes_max_ = 1;
    const auto journal = open();
    std::vector<Position> ends;
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(journal->append(1, std::to_string(i)));
        ends.push_back(*journal->flush());
    }
    EXPECT_EQ(*journal->drop_before({2, kSegmentHeaderBytes}), ends[0].offset);
    EXPECT_EQ(payloads(), (std::vector<std::string>{"1", "2", "3", "4"}));
    EXPECT_EQ(*journal->drop_before(ends[1]), ends[1].offset);
    EXPECT_EQ(payloads(), (std::vector<std::string>{"2", "3", "4"}));
    EXPECT_GT(*journal->drop_before({99, 0}), 0U);
    EXPECT_EQ(payloads(), std::vector<std::string>{"4"});
    const auto report = replay(directory_.path(), {1, 0}, {}, [](const Record&) { return true; });
    EXPECT_TRUE(report->began_late);
}

/// Appends numbered records for ever and prints each acknowledgement to the pipe.
[[noreturn]] void append_until_killed(const JournalOptions& options, int pipe) {
    SystemClock clock;
    MetricsRegistry metrics;
    const auto journal = Journal::open(options, clock, metrics);
    if (!journal) ::_exit(1);
    for (std::uint64_t i = 0;; ++i) {
        const std::string text = std::to_string(i) + std::string(i % 2000, '.');
        const auto appended = (*journal)->append(1, text, nullptr, [=](const auto& position) {
            if (position && ::write(pipe, &i, sizeof i) != sizeof i) ::_exit(2);
        });
        if (!appended) ::usleep(1000);
        if (!appended) --i;
    }
}

TEST_F(JournalTest, KeepsEveryAcknowledgedRecordThroughKill) {
    segment_bytes_max_ = 1 << 20;
    queue_bytes_max_ = 1 << 20;
    for (int round = 0; round < 5; ++round) {
        int pipe[2];
        ASSERT_EQ(::pipe(pipe), 0);
        const pid_t child = ::fork();
        if (child == 0) append_until_killed(options(), pipe[1]);
        ::close(pipe[1]);
        std::uint64_t acked = 0;
        std::uint64_t last = 0;
        while (acked < 500 && ::read(pipe[0], &last, sizeof last) == sizeof last) ++acked;
        ::kill(child, SIGKILL);
        while (::read(pipe[0], &last, sizeof last) == sizeof last) ++acked;
        ::close(pipe[0]);
        ::waitpid(child, nullptr, 0);
        ASSERT_GE(acked, 500U);
        std::uint64_t expected = 0;
        for (const auto& text : payloads()) {
            ASSERT_EQ(std::stoull(text), expected);
            ++expected;
        }
        EXPECT_GE(expected, last + 1);
        EXPECT_TRUE(open());
        std::filesystem::remove_all(directory_.path());
    }
}

/// The example of docs/journal-format.md, byte for byte.
TEST(JournalFormat, IsAsWrittenDown) {
    static constexpr char kExample[] =
        "\x50\x48\x4a\x52\x4e\x4c\x0d\x0a\x01\x00\x00\x00\x00\x00\x00\x00"
        "\x02\x00\x00\x00\x00\x00\x00\x00\x00\x68\xe5\xcf\x8b\x01\x00\x00"
        "\xd2\x04\x00\x00\x00\x00\x00\x00\xcb\x9e\xd8\x4e\x00\x00\x00\x00"
        "\x05\x00\x00\x00\x4c\xbb\x71\x9a\x01\x15\xca\x1e\x68\x65\x6c\x6c"
        "\x6f";
    const std::string_view example(kExample, sizeof kExample - 1);
    const auto header = encode_segment_header({2, 1'700'000'000'000, 1234});
    EXPECT_EQ(example.substr(0, kSegmentHeaderBytes),
              std::string_view(header.data(), header.size()));
    const auto record = encode_record_header({5, crc32c("hello", 5), 1});
    EXPECT_EQ(example.substr(kSegmentHeaderBytes, kRecordHeaderBytes),
              std::string_view(record.data(), record.size()));
    EXPECT_EQ(segment_file_name(0xa1), "00000000000000a1.journal");
    EXPECT_EQ(segment_of_file_name("00000000000000a1.journal"), 0xa1U);
    EXPECT_EQ(segment_of_file_name("0000000000000zz1.journal"), 0U);
}

}  // namespace
}  // namespace playhead::journal
