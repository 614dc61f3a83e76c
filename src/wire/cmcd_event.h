/// Turns CMCD reports into canonical events. Internal to wire.
#pragma once

#include "wire/cmcd.h"
#include "wire/cmcd_record.h"

namespace playhead::wire {

class CmcdEventDecoder {
public:
    enum class Mode : std::uint8_t { Event, Request };

    CmcdEventDecoder(CmcdBatch& result, const CmcdSource& source);

    /// Adds the record's event to the batch, or counts why not.
    void add(const CmcdRecord& record, Mode mode);

private:
    bool identify(const CmcdRecord& record, model::Event& event);
    void common(const CmcdRecord& record, model::Event& event);
    void numbers(const CmcdRecord& record, model::Event& event);
    void bitrates(const CmcdRecord& record, model::Event& event);
    void response(const CmcdRecord& record, model::Event& event);
    void errors(const CmcdRecord& record, model::Event& event);
    void tags(const CmcdRecord& record, model::Event& event);
    std::int64_t event_time(const CmcdRecord& record);
    std::optional<std::string_view> text(const CmcdRecord& record, std::string_view key,
                                         std::size_t bytes_max);

    CmcdBatch& result_;
    const CmcdSource& source_;
    std::string_view path_sid_;
};

}  // namespace playhead::wire
