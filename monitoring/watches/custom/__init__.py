"""The user's own metrics: functions of labelled rows, called and checked."""
