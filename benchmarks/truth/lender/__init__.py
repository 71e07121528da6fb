"""A made-up lender: streams of rows on which this monitor and others are compared."""
