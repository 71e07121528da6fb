"""Labels: the truth about predictions as it becomes known, one segment after another in order of arrival."""
