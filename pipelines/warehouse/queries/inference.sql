-- What is to be labelled: the items of one model group and one period.
SELECT {columns}
FROM labelmill.new_items
WHERE model_group = :model_group AND period = :period
