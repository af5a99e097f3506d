"""What is known of experiments: their state and progress, their series, their events as they happen, and the queue."""
