"""What a month costs and how long it takes, computed before it runs.

Pure: it reads committed files and calls nobody.

`definitions` reads from the state machines which jobs there are; `durations` says how long a job takes;
`usage` turns a month into billed units; `prices` turns those into money; `waiting` simulates the quotas;
`levers` says what each saving is worth; `month` puts them together.
"""
