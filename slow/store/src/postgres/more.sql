-- What PostgreSQL has beside the tables that SQLite has, too.
CREATE VIEW marks AS
    SELECT DISTINCT ON (symbol) symbol, close AS mark, start_ns FROM bars
    WHERE width_s = 3600 ORDER BY symbol, start_ns DESC;
-- As SQLite rounds: halves away from zero.
CREATE FUNCTION round_half(DOUBLE PRECISION) RETURNS DOUBLE PRECISION LANGUAGE sql IMMUTABLE
    AS 'SELECT trunc($1 + CASE WHEN $1 < 0 THEN -0.5 ELSE 0.5 END)';
CREATE INDEX order_ranges ON orders USING brin (entered_ns);
CREATE INDEX refusal_ranges ON refusals USING brin (time_ns);
-- Bars of a minute are made of those of a second, and bars of an hour of those of a minute, by
-- whoever changes the narrower ones: each wider bar over one that changed is made anew of all that
-- are in it, so the order in which they came does not matter.
CREATE FUNCTION roll_up() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM changed WHERE width_s < 3600) THEN
        RETURN NULL;
    END IF;
    INSERT INTO bars
        SELECT wide.symbol, wide.width_s, wide.start_ns, made.*
        FROM (
            SELECT DISTINCT symbol, width_s AS narrow_s, width_s * 60 AS width_s,
                start_ns - start_ns % (width_s * 60 * 1000000000) AS start_ns
            FROM changed WHERE width_s < 3600
        ) wide CROSS JOIN LATERAL (
            SELECT (array_agg(open ORDER BY first_id))[1], max(high), min(low),
                (array_agg(close ORDER BY last_id DESC))[1], CAST(sum(units) AS BIGINT),
                CAST(sum(value) AS BIGINT), CAST(sum(trades) AS BIGINT), min(first_id),
                max(last_id)
            FROM bars b
            WHERE b.symbol = wide.symbol AND b.width_s = wide.narrow_s
                AND b.start_ns >= wide.start_ns
                AND b.start_ns < wide.start_ns + wide.width_s * 1000000000
            HAVING count(*) > 0
        ) made
        ON CONFLICT (symbol, width_s, start_ns) DO UPDATE SET
            open = excluded.open, high = excluded.high, low = excluded.low,
            close = excluded.close, units = excluded.units, value = excluded.value,
            trades = excluded.trades, first_id = excluded.first_id, last_id = excluded.last_id;
    IF TG_OP = 'DELETE' THEN
        DELETE FROM bars WHERE (symbol, width_s, start_ns) IN (
            SELECT symbol, width_s * 60, start_ns - start_ns % (width_s * 60 * 1000000000)
            FROM changed WHERE width_s < 3600
        ) AND NOT EXISTS (
            SELECT FROM bars b
            WHERE b.symbol = bars.symbol AND b.width_s = bars.width_s / 60
                AND b.start_ns >= bars.start_ns
                AND b.start_ns < bars.start_ns + bars.width_s * 1000000000
        );
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER bars_added AFTER INSERT ON bars
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roll_up();
CREATE TRIGGER bars_updated AFTER UPDATE ON bars
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roll_up();
CREATE TRIGGER bars_removed AFTER DELETE ON bars
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION roll_up();
