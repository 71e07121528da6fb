"""Acts on an incident: gives the serving label back to the version before, or runs the owner's command."""
