SELECT h.account AS account, h.symbol AS symbol,
    bought_units - sold_units AS position, sold_value - bought_value AS cash,
    coalesce((SELECT close FROM bars b WHERE b.symbol = h.symbol AND b.width_s = 3600
        ORDER BY b.start_ns DESC LIMIT 1), 0) AS mark,
    CASE WHEN bought_units = 0 OR sold_units = 0 THEN 0
        ELSE CAST(round(CASE WHEN bought_units < sold_units THEN bought_units
                ELSE sold_units END
            * (CAST(sold_value AS DOUBLE PRECISION) / sold_units
                - CAST(bought_value AS DOUBLE PRECISION) / bought_units))
            AS BIGINT) END AS realised
FROM holdings h WHERE true
