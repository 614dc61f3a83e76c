/// Torn, flipped, missing bytes, and disks that fail.
#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>

#include "journal/tests/journal_fixture.h"

namespace playhead::journal {
namespace {

TEST_F(JournalTest, ReplaysExactlyThePrefixWhenTheFileEndsAnywhere) {
    constexpr int kRecords = 20;
    std::vector<std::uint64_t> ends{kSegmentHeaderBytes};
    {
        const auto journal = open();
        for (int i = 0; i < kRecords; ++i) {
            ASSERT_TRUE(journal->append(1, "record " + std::to_string(i)));
            ends.push_back(journal->flush()->offset);
        }
    }
    const std::string path = last_segment();
    const std::string whole = read_file(path);
    ASSERT_EQ(whole.size(), ends.back());
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        std::size_t expected = 0;
        while (expected < kRecords && ends[expected + 1] <= size) ++expected;
        write_file(path, whole.substr(0, size));
        EXPECT_EQ(payloads().size(), expected) << "cut at " << size;
        if (size < kSegmentHeaderBytes) continue;
        EXPECT_EQ(report_.torn_bytes, size - ends[expected]);
    }
    // Zeros behind the last record are what a file system may leave of an unfinished write.
    write_file(path, whole + std::string(5000, '\0'));
    EXPECT_EQ(payloads().size(), std::size_t{kRecords});
    EXPECT_EQ(report_.torn_bytes, 5000U);
}

TEST_F(JournalTest, GoesOnBehindATornTail) {
    {
        const auto journal = open();
        ASSERT_TRUE(journal->append(1, "kept"));
        ASSERT_TRUE(journal->append(1, "torn"));
    }
    const std::string path = last_segment();
    write_file(path, read_file(path).substr(0, read_file(path).size() - 1));
    {
        const auto journal = open();
        EXPECT_EQ(journal->torn_bytes_at_open(), kRecordHeaderBytes + 3);
        EXPECT_EQ(journal->end(), (Position{2, kSegmentHeaderBytes}));
        ASSERT_TRUE(journal->append(1, "after"));
    }
    EXPECT_EQ(payloads(), (std::vector<std::string>{"kept", "after"}));
    EXPECT_EQ(report_.torn_bytes, 0U);
    // A crash while the third segment was being created.
    write_file(directory_.path() + "/" + segment_file_name(3), "PHJ");
    EXPECT_EQ(payloads(), (std::vector<std::string>{"kept", "after"}));
    EXPECT_EQ(open()->end(), (Position{3, kSegmentHeaderBytes}));
    // Restarts without records leave no trail of empty segments.
    EXPECT_EQ(open()->end(), (Position{3, kSegmentHeaderBytes}));
    EXPECT_EQ(payloads().size(), 2U);
}

TEST_F(JournalTest, DetectsEveryFlippedBitAndSaysWhatIsLost) {
    {
        const auto journal = open();
        for (const auto* text : {"first", "second", "third"}) ASSERT_TRUE(journal->append(1, text));
    }
    {
        ASSERT_TRUE(open()->append(1, "next segment"));
    }
    const std::string path = directory_.path() + "/" + segment_file_name(1);
    const std::string whole = read_file(path);
    const std::vector<std::string> all{"first", "second", "third", "next segment"};
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
        const bool reserved = (bit / 8 >= 12 && bit / 8 < 16) || (bit / 8 >= 44 && bit / 8 < 48);
        std::string flipped = whole;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
        write_file(path, flipped);
        std::size_t seen = 0;
        const auto strict = replay(directory_.path(), {}, {}, [&](const Record& record) {
            EXPECT_EQ(record.payload, all[seen++]);
            return true;
        });
        if (reserved && strict) continue;
        ASSERT_FALSE(strict) << "bit " << bit;
        EXPECT_NE(strict.error().message.find(path), std::string::npos);
        const auto rest = payloads({.skip_corrupt = true, .until = {}});
        ASSERT_FALSE(rest.empty());
        EXPECT_EQ(rest.back(), "next segment");
        EXPECT_LT(rest.size(), all.size());
        EXPECT_EQ(report_.losses.size(), 1U);
    }
}

TEST_F(JournalTest, ReportsAMissingAndAShortenedSegment) {
    segment_bytes_max_ = 1;
    {
        const auto journal = open();
        for (int i = 0; i < 4; ++i) {
            ASSERT_TRUE(journal->append(1, std::to_string(i)));
            ASSERT_TRUE(journal->flush());
        }
    }
    const std::string path = directory_.path() + "/" + segment_file_name(2);
    const std::string whole = read_file(path);
    const auto count = [](const Record&) { return true; };
    write_file(path, whole.substr(0, kSegmentHeaderBytes));
    EXPECT_FALSE(replay(directory_.path(), {}, {}, count));
    std::filesystem::remove(path);
    EXPECT_FALSE(replay(directory_.path(), {}, {}, count));
    EXPECT_EQ(payloads({.skip_corrupt = true, .until = {}}),
              (std::vector<std::string>{"0", "2", "3"}));
}

TEST_F(JournalTest, ServesAgainOnceTheDiskHasRoom) {
    {
        const auto journal = open();
        ASSERT_TRUE(journal->append(1, "before"));
        ASSERT_TRUE(journal->flush());
        files_.fail_writes = true;
        std::optional<Error> refused;
        std::size_t failed = 0;
        journal->set_group_listener([&](std::span<Entry> entries, const Error* error) {
            if (error != nullptr) failed += entries.size();
        });
        ASSERT_TRUE(journal->append(1, "lost", nullptr, [&](const Result<Position>& position) {
            refused = position.error();
        }));
        EXPECT_FALSE(journal->flush());
        ASSERT_TRUE(refused);
        EXPECT_EQ(refused->code, ErrorCode::Unavailable);
        EXPECT_NE(refused->message.find("No space left"), std::string::npos);
        EXPECT_EQ(failed, 1U);
        EXPECT_TRUE(journal->last_error());
        files_.fail_writes = false;
        // Nobody appends, and still it notices.
        for (int i = 0; i < 500 && journal->last_error(); ++i) ::usleep(10'000);
        EXPECT_FALSE(journal->last_error());
        ASSERT_TRUE(journal->append(1, "after"));
        ASSERT_TRUE(journal->flush());
    }
    EXPECT_EQ(payloads(), (std::vector<std::string>{"before", "after"}));
}

TEST_F(JournalTest, LeavesASegmentThatCouldNotBeSynced) {
    {
        const auto journal = open();
        ASSERT_TRUE(journal->append(1, "before"));
        ASSERT_TRUE(journal->flush());
        files_.fail_syncs = true;
        ASSERT_TRUE(journal->append(1, "unacknowledged"));
        EXPECT_FALSE(journal->flush());
        files_.fail_truncates = true;
        files_.fail_syncs = false;
        ASSERT_TRUE(journal->append(1, "neither"));
        EXPECT_FALSE(journal->flush());
        files_.fail_truncates = false;
        for (int i = 0; i < 500 && journal->last_error(); ++i) ::usleep(10'000);
        ASSERT_TRUE(journal->append(1, "after"));
        const auto end = journal->flush();
        ASSERT_TRUE(end);
        EXPECT_EQ(end->segment, 2U);
    }
    EXPECT_EQ(payloads(), (std::vector<std::string>{"before", "after"}));
}

}  // namespace
}  // namespace playhead::journal
