-- What the next model of a model group is trained on: every item whose code was known by the end of the period.
SELECT {columns}
FROM labelmill.labelled_items
WHERE model_group = :model_group AND period <= :period
