"""What measures pictures and draws scenes whose truth is known: metrics, comparison, scenes."""
