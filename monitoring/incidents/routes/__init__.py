"""The routes by which a notification reaches people: each makes what is sent, and one sender sends it."""
