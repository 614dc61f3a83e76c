-- One session and one subscriber among millions: without these every id of the period is read
-- (5 million sessions: 310 and 330 ms, then 37 and 26 ms). Old rows are indexed beside the server.
ALTER TABLE sessions ADD INDEX IF NOT EXISTS by_sessionid sessionid
    TYPE bloom_filter(0.01) GRANULARITY 1;

ALTER TABLE sessions ADD INDEX IF NOT EXISTS by_subscriberid subscriberid
    TYPE bloom_filter(0.01) GRANULARITY 1;

ALTER TABLE sessions MATERIALIZE INDEX by_sessionid SETTINGS mutations_sync = 0;

ALTER TABLE sessions MATERIALIZE INDEX by_subscriberid SETTINGS mutations_sync = 0;
