-- Which blocks of the ingest pipeline are here, whole: recovery inserts those above the newest.
CREATE TABLE IF NOT EXISTS ingest_cuts
(
    cut UInt64,
    cut_time DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(cut)
ORDER BY tuple()
SETTINGS non_replicated_deduplication_window = 1000;
