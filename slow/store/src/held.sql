SELECT p.account AS account, p.symbol AS symbol,
    sum(bought_units) - sum(sold_units) AS position, sum(sold_value) - sum(bought_value) AS cash,
    ifnull((SELECT close FROM bars b WHERE b.symbol = p.symbol AND b.width_s = 3600
        ORDER BY b.start_ns DESC LIMIT 1), 0) AS mark,
    CASE WHEN sum(bought_units) = 0 OR sum(sold_units) = 0 THEN 0
        ELSE CAST(round(min(sum(bought_units), sum(sold_units))
            * (1.0 * sum(sold_value) / sum(sold_units)
                - 1.0 * sum(bought_value) / sum(bought_units))) AS INTEGER) END AS realised
FROM positions p WHERE 1
