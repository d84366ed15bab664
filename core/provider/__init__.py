"""Everything that speaks Plivo. Nothing outside this folder knows how Plivo spells things."""
