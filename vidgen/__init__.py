"""Real-time video super-resolution and frame generation."""
