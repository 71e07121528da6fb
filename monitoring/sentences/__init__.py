"""An incident in sentences: the only place where its parts become words, which nothing reads back."""
