"""Windows of a range are judged, late or again."""
