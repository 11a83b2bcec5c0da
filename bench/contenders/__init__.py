"""What a user would pick instead of this project's scan worker. Each is a program of its own."""
