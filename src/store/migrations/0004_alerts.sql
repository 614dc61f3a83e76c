-- One row per state of an alert; the newest version counts. NaN stands for "no value", an endtime
-- of 0 for "still open". Written by src/alerts; few rows, so no partitions.
CREATE TABLE IF NOT EXISTS alerts
(
    customerid UInt64,
    alertid String,
    version UInt64,
    ruleid String,
    alertname String,
    alerttype LowCardinality(String),
    metric LowCardinality(String),
    dimension String,
    severity LowCardinality(String),
    status LowCardinality(String),
    start_time DateTime64(3, 'UTC'),
    end_time DateTime64(3, 'UTC'),
    value Float64,
    baseline Float64,
    lower Float64,
    upper Float64,
    deviation Float64,
    direction LowCardinality(String),
    attempts Float64,
    users Float64,
    affectedsessions Float64,
    affectedusers Float64,
    calculationperiod UInt32,
    detectioninterval UInt32,
    rootcause String,
    samplesessions String,
    notified String,
    note String
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (customerid, alertid)
SETTINGS non_replicated_deduplication_window = 1000;
