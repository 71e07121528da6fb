"""What people have done from an incident's page: commands, and labels that move back."""
