"""What a person looks at of a deployment: status, reports, the rows of an incident, answers with their labels."""
