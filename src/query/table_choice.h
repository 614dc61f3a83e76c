/// Which tables and rollups a piece of a statement reads, and which days of it are kept. Internal
/// to the planner.
#pragma once

#include <cstdint>
#include <vector>

#include "query/piece.h"

namespace playhead::query {

/// Writes its reasons into the plan. All references must outlive it; `days` null: none are kept.
class TableChoice {
public:
    TableChoice(const QueryRequest& request, const Dictionary& dictionary,
                std::uint64_t customer_id, const KeptDays* days, Plan& plan)
        : request_(request),
          dictionary_(dictionary),
          customer_id_(customer_id),
          days_(days),
          plan_(plan) {}

    /// The kept days of a piece that stand; notes a wish for those that do not.
    Result<std::vector<KeptRange>> days_of(const Piece& piece);
    /// The tables of a piece where no kept days are.
    std::vector<TablePart> of(const Piece& piece, const std::vector<KeptRange>& kept);

    TablePart closed_part(std::int64_t from_s, std::int64_t to_s, bool whole_rows) const;
    TablePart open_part() const;

private:
    void add_tables(const Piece& piece, const Period& period, std::vector<TablePart>& out);
    void add_sessions(const Piece& piece, const Period& period, std::vector<TablePart>& out);
    void add_errors(const Piece& piece, const Period& period, std::vector<TablePart>& out);
    TablePart day_part(const Piece& piece) const;

    const QueryRequest& request_;
    const Dictionary& dictionary_;
    std::uint64_t customer_id_;
    const KeptDays* days_;
    Plan& plan_;
};

}  // namespace playhead::query
