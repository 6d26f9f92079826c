SELECT p.account AS account, p.symbol AS symbol,
    CAST(sum(bought_units) - sum(sold_units) AS BIGINT) AS position,
    CAST(sum(sold_value) - sum(bought_value) AS BIGINT) AS cash,
    coalesce((SELECT close FROM bars b WHERE b.symbol = p.symbol AND b.width_s = 3600
        ORDER BY b.start_ns DESC LIMIT 1), 0) AS mark,
    CASE WHEN sum(bought_units) = 0 OR sum(sold_units) = 0 THEN 0
        ELSE CAST(round(CASE WHEN sum(bought_units) < sum(sold_units) THEN sum(bought_units)
                ELSE sum(sold_units) END
            * (CAST(sum(sold_value) AS DOUBLE PRECISION) / sum(sold_units)
                - CAST(sum(bought_value) AS DOUBLE PRECISION) / sum(bought_units)))
            AS BIGINT) END AS realised
FROM positions p WHERE true
