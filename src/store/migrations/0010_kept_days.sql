-- Sums and sketches by day of questions that are asked again (src/query/kept_days.h). Nothing is
-- lost with them: each row can be made again from the other tables, and only the process that made
-- a build reads it. What each array holds is known to the question.
CREATE TABLE IF NOT EXISTS kept_days
(
    customerid UInt64,
    build UInt64,
    day UInt32,
    n Int64,
    groups Array(String),
    texts Array(String),
    sums Array(Int64),
    reals Array(Float64),
    uniques Array(AggregateFunction(uniqCombined64(17), UInt64)),
    digests Array(AggregateFunction(quantileTDigest, Float64)),
    made_at DateTime('UTC') DEFAULT now('UTC')
)
ENGINE = MergeTree
PARTITION BY toDate(made_at, 'UTC')
ORDER BY (customerid, build, day)
TTL made_at + INTERVAL 8 DAY
SETTINGS ttl_only_drop_parts = 1;
