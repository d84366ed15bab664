"""Tables of facts about Plivo: numbers, endings, prices, causes, error codes, time formats."""
