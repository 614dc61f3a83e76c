-- Where the names in a tenant's SQL are looked up: it holds nothing, so that every name that is not
-- one of the statement's own is unknown (docs/decisions/0008).
CREATE DATABASE IF NOT EXISTS sql_sandbox;
