"""Drawing shared by the pictures: frames, axes, lines, themes and text."""
