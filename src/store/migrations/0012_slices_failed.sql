-- The minutes of sessions in which something failed, again: single errors are joined with these, and
-- among all minutes they are one in a hundred. Of the shape of `slices`: what adds a column there
-- adds it here and makes the view anew.
CREATE TABLE IF NOT EXISTS slices_failed AS slices
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(minute_time)
ORDER BY (customerid, minute_time, sessionid)
SETTINGS non_replicated_deduplication_window = 1000, ttl_only_drop_parts = 1;

-- In this order a migration that was broken off may run again.
DROP VIEW IF EXISTS slices_failed_mv;

TRUNCATE TABLE slices_failed;

INSERT INTO slices_failed SELECT * FROM slices
WHERE fatal_errors != 0 OR warnings != 0 OR ad_errors != 0 OR startup_failures != 0 OR startup_business_failures != 0
SETTINGS max_partitions_per_insert_block = 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS slices_failed_mv TO slices_failed AS
SELECT * FROM slices
WHERE fatal_errors != 0 OR warnings != 0 OR ad_errors != 0 OR startup_failures != 0 OR startup_business_failures != 0;
