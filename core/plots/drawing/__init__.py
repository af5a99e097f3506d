"""What the pictures share: frames, axes, lines, themes and text."""
