"""What an experiment is, how it is trained, judged, drawn, stored and queued."""
